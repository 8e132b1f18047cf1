import { listIn } from '../../json-value.js';
import { type RerankMemory, rerankMemory, rerankResults } from '../../rerank/answer.js';
import { readRerankRequest } from '../../rerank/request.js';
import { translationPair } from '../translation-pair.js';
import { unaryAnswer } from '../unary-answer.js';
import { toPlainRerank } from './request.js';

/** Cohere's v2 takes texts only and gives no documents back; clients of v1, and of Jina, have both. */
export const rerankToRerank = translationPair<RerankMemory>({
  from: 'rerank',
  to: 'rerank',
  needed: (request) =>
    request['return_documents'] !== undefined || listIn(request, 'documents').some((text) => typeof text !== 'string'),
  write(request, context) {
    // Its own dialect: what we do not know is not dropped but sent on.
    const asked = readRerankRequest(request, new Set(Object.keys(request)), context.losses);
    return { body: toPlainRerank(request, asked, context), memory: rerankMemory(asked) };
  },
  read: (asked) => unaryAnswer((body) => ({ ...body, results: rerankResults(listIn(body, 'results'), asked) })),
});

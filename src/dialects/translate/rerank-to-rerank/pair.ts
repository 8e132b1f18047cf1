import { listIn } from '../../json-value.js';
import { rerankResults } from '../../rerank/answer.js';
import { readRerankRequest } from '../../rerank/request.js';
import type { Translation } from '../translation.js';
import { unaryCall } from '../unary-call.js';
import { toPlainRerank } from './request.js';

/** Cohere's v2 takes texts only and gives no documents back; clients of v1, and of Jina, have both. */
export const rerankToRerank: Translation = {
  from: 'rerank',
  to: 'rerank',
  needed: (request) =>
    request['return_documents'] !== undefined || listIn(request, 'documents').some((text) => typeof text !== 'string'),
  prepare(request, context) {
    // Its own dialect: what we do not know is not dropped but sent on.
    const asked = readRerankRequest(request, new Set(Object.keys(request)), context.losses);
    return unaryCall(toPlainRerank(request, asked, context), (body) => ({
      ...body,
      results: rerankResults(listIn(body, 'results'), asked),
    }));
  },
};

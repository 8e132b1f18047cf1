import { rerankPair } from '../rerank-pair.js';
import { toJina } from './request.js';

/** Cohere's rerank by Jina AI. */
export const rerankToJina = rerankPair({
  wire: 'jina-rerank',
  own: new Set(['max_doc_length', 'truncate']),
  body: toJina,
  results: 'results',
});

import { rerankPair } from '../rerank-pair.js';
import { toVoyage } from './request.js';

/** Cohere's rerank by Voyage AI. */
export const rerankToVoyage = rerankPair({
  wire: 'voyage-rerank',
  own: new Set(['truncation']),
  body: toVoyage,
  results: 'data',
});

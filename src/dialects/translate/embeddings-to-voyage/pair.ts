import { embeddingsPair } from '../embeddings-pair.js';
import { toVoyage, VOYAGE_MEMBERS } from './request.js';
import { fromVoyage } from './response.js';

/** OpenAI's embeddings by Voyage AI. */
export const embeddingsToVoyage = embeddingsPair({
  wire: 'voyage-embed',
  own: VOYAGE_MEMBERS,
  body: toVoyage,
  answer: fromVoyage,
});

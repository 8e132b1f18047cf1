import { COHERE_MEMBERS } from '../../cohere/embed-request.js';
import { embeddingsPair } from '../embeddings-pair.js';
import { toCohere } from './request.js';
import { fromCohere } from './response.js';

/** OpenAI's embeddings by Cohere's `/v2/embed`. */
export const embeddingsToCohere = embeddingsPair({
  wire: 'cohere-embed',
  own: COHERE_MEMBERS,
  body: toCohere,
  answer: fromCohere,
});

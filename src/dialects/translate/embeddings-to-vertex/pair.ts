import { embeddingsPair } from '../embeddings-pair.js';
import { toVertex, VERTEX_MEMBERS } from './request.js';
import { fromVertex } from './response.js';

/** OpenAI's embeddings by Vertex AI. */
export const embeddingsToVertex = embeddingsPair({
  wire: 'vertex-predict',
  own: VERTEX_MEMBERS,
  body: toVertex,
  answer: fromVertex,
});

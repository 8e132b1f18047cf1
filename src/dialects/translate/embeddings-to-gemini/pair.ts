import { embeddingsPair } from '../embeddings-pair.js';
import { GEMINI_MEMBERS, toGemini } from './request.js';
import { fromGemini } from './response.js';

/** OpenAI's embeddings by the Gemini API. */
export const embeddingsToGemini = embeddingsPair({
  wire: 'gemini-embed',
  own: GEMINI_MEMBERS,
  body: toGemini,
  answer: fromGemini,
});

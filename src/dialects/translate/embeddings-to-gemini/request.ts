import type { JsonObject } from '../../json-value.js';
import { atMostTexts, type EmbeddingsRequest } from '../../openai-embeddings/request.js';
import type { TranslationContext } from '../translation.js';

/** https://ai.google.dev/api/embeddings: 100 requests in a batch. */
const MOST_TEXTS = 100;

export const GEMINI_MEMBERS: ReadonlySet<string> = new Set(['taskType', 'title']);

/** `:batchEmbedContents`: one request for each text, each naming the model of the path again. */
export function toGemini(asked: EmbeddingsRequest, context: TranslationContext): JsonObject {
  atMostTexts(asked, MOST_TEXTS, context.losses);
  const shared = {
    model: context.model.startsWith('models/') ? context.model : `models/${context.model}`,
    ...(asked.dimensions === null ? {} : { outputDimensionality: asked.dimensions }),
    ...asked.own,
  };
  return { requests: asked.texts.map((text) => ({ ...shared, content: { parts: [{ text }] } })) };
}

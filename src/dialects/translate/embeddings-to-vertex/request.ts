import type { JsonObject } from '../../json-value.js';
import { atMostTexts, type EmbeddingsRequest } from '../../openai-embeddings/request.js';
import { embedsContent } from '../../vertex-predict/embeds-content.js';
import type { TranslationContext } from '../translation.js';

/** https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/text-embeddings-api */
const MOST_TEXTS = 250;

/** As `:predict` spells them. */
export const VERTEX_MEMBERS: ReadonlySet<string> = new Set(['task_type', 'title', 'auto_truncate']);

export function toVertex(asked: EmbeddingsRequest, context: TranslationContext): JsonObject {
  if (embedsContent(context.model)) return toEmbedContent(asked, context);
  atMostTexts(asked, context.model.startsWith('gemini-embedding') ? 1 : MOST_TEXTS, context.losses);
  const { auto_truncate: autoTruncate, ...instance } = asked.own;
  const parameters = {
    ...(asked.dimensions === null ? {} : { outputDimensionality: asked.dimensions }),
    ...(autoTruncate === undefined ? {} : { autoTruncate }),
  };
  return {
    instances: asked.texts.map((content) => ({ content, ...instance })),
    ...(Object.keys(parameters).length === 0 ? {} : { parameters }),
  };
}

function toEmbedContent(asked: EmbeddingsRequest, context: TranslationContext): JsonObject {
  atMostTexts(asked, 1, context.losses);
  const { task_type: taskType, title, auto_truncate: autoTruncate } = asked.own;
  const wanted = { taskType, title, autoTruncate, outputDimensionality: asked.dimensions ?? undefined };
  const embedContentConfig = Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== undefined));
  return {
    content: { parts: asked.texts.map((text) => ({ text })) },
    ...(Object.keys(embedContentConfig).length === 0 ? {} : { embedContentConfig }),
  };
}

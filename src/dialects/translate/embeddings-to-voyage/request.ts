import type { JsonObject } from '../../json-value.js';
import type { EmbeddingsRequest } from '../../openai-embeddings/request.js';
import type { TranslationContext } from '../translation.js';

export const VOYAGE_MEMBERS: ReadonlySet<string> = new Set(['input_type', 'truncation', 'output_dtype']);

/** Voyage refuses OpenAI's names: `dimensions` and the format "float". https://docs.voyageai.com/reference/embeddings-api */
export function toVoyage(asked: EmbeddingsRequest, context: TranslationContext): JsonObject {
  return {
    model: context.model,
    input: asked.texts,
    ...(asked.dimensions === null ? {} : { output_dimension: asked.dimensions }),
    ...(asked.encoding === 'base64' ? { encoding_format: 'base64' } : {}),
    ...asked.own,
  };
}

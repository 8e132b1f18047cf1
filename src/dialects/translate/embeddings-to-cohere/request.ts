import { cohereEmbedRequest } from '../../cohere/embed-request.js';
import type { JsonObject } from '../../json-value.js';
import type { EmbeddingsRequest } from '../../openai-embeddings/request.js';
import type { TranslationContext } from '../translation.js';

export function toCohere(asked: EmbeddingsRequest, context: TranslationContext): JsonObject {
  return { model: context.model, ...cohereEmbedRequest(asked, context.losses) };
}

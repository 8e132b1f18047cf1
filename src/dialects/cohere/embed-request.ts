import type { JsonObject } from '../json-value.js';
import { atMostTexts, type EmbeddingsRequest } from '../openai-embeddings/request.js';
import type { Losses } from '../translate/losses.js';

/** https://docs.cohere.com/reference/embed */
const MOST_TEXTS = 96;

export const COHERE_MEMBERS: ReadonlySet<string> = new Set(['input_type', 'truncate', 'max_tokens', 'priority']);

/**
 * Cohere's members without the model. `input_type` must be set: what is embedded is a document unless the client says
 * otherwise, in Cohere's own member.
 */
export function cohereEmbedRequest(asked: EmbeddingsRequest, losses: Losses): JsonObject {
  atMostTexts(asked, MOST_TEXTS, losses);
  return {
    texts: asked.texts,
    input_type: 'search_document',
    embedding_types: ['float'],
    ...(asked.dimensions === null ? {} : { output_dimension: asked.dimensions }),
    ...asked.own,
  };
}

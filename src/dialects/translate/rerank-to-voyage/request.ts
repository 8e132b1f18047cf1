import type { JsonObject } from '../../json-value.js';
import type { RerankRequest } from '../../rerank/request.js';
import type { TranslationContext } from '../translation.js';

/** https://docs.voyageai.com/reference/reranker-api */
export function toVoyage(asked: RerankRequest, context: TranslationContext): JsonObject {
  return {
    model: context.model,
    query: asked.query,
    documents: asked.texts,
    ...(asked.most === null ? {} : { top_k: asked.most }),
    ...asked.own,
  };
}

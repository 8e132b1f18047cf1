import type { JsonObject } from '../../json-value.js';
import type { RerankRequest } from '../../rerank/request.js';
import type { TranslationContext } from '../translation.js';

/** https://api.jina.ai/redoc#tag/rerank: documents come back unless that is declined. */
export function toJina(asked: RerankRequest, context: TranslationContext): JsonObject {
  return {
    model: context.model,
    query: asked.query,
    documents: asked.texts,
    ...(asked.most === null ? {} : { top_n: asked.most }),
    return_documents: false,
    ...asked.own,
  };
}

import type { JsonObject } from '../../json-value.js';
import type { RerankRequest } from '../../rerank/request.js';
import type { TranslationContext } from '../translation.js';

/** The client's request with plain texts as documents; all that is not of v1 stays as the client wrote it. */
export function toPlainRerank(request: JsonObject, asked: RerankRequest, context: TranslationContext): JsonObject {
  const { return_documents: _, ...body } = request;
  return { ...body, model: context.model, documents: asked.texts };
}

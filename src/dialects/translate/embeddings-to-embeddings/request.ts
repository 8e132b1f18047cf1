import type { JsonObject } from '../../json-value.js';
import type { TranslationContext } from '../translation.js';

/**
 * The client's request without `encoding_format`: numbers are what every provider sends then, and some refuse the member. All
 * else is as the client wrote it, since the dialect is the same.
 */
export function withoutEncoding(request: JsonObject, context: TranslationContext): JsonObject {
  const { encoding_format: _, ...body } = request;
  return { ...body, model: context.model };
}

import type { JsonObject } from '../json-value.js';
import type { HeaderReader, PreparedCall } from './translation.js';

const NO_HEADER: HeaderReader = () => undefined;

/** A call whose answer is always whole, such as embeddings. */
export function unaryCall(
  body: JsonObject,
  answer: (body: JsonObject, header: HeaderReader) => JsonObject,
): PreparedCall {
  return {
    body,
    answer: (whole, header = NO_HEADER) => answer(whole, header),
    stream() {
      throw new Error('This endpoint has no streams.');
    },
  };
}

import type { JsonObject } from '../json-value.js';
import type { AnswerTranslation, HeaderReader } from './translation.js';

const NO_HEADER: HeaderReader = () => undefined;

/** The answer of a call that is always whole, such as embeddings. */
export function unaryAnswer(answer: (body: JsonObject, header: HeaderReader) => JsonObject): AnswerTranslation {
  return {
    answer: (whole, header = NO_HEADER) => answer(whole, header),
    stream() {
      throw new Error('This endpoint has no streams.');
    },
  };
}

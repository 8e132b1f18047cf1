import { isObject, type JsonObject, listIn, objectIn } from '../../json-value.js';
import { type Vector, vectorOf } from '../../openai-embeddings/vector.js';
import { statedAmount } from '../../stated-amount.js';

/** OpenAI's shape, but for `usage`, which has only a total. */
export function fromVoyage(body: JsonObject): { vectors: readonly Vector[]; tokens: number | null } {
  const vectors = listIn(body, 'data').map((each) => vectorOf(isObject(each) ? each['embedding'] : null));
  return { vectors, tokens: statedAmount(objectIn(body, 'usage'), 'total_tokens') };
}

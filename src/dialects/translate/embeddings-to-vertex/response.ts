import { isObject, type JsonObject, listIn, objectIn } from '../../json-value.js';
import { type Vector, vectorOf } from '../../openai-embeddings/vector.js';
import { vertexPredictUsage } from '../../vertex-predict/usage.js';

/** Answers of `:predict` and of `:embedContent`. */
export function fromVertex(body: JsonObject): { vectors: readonly Vector[]; tokens: number | null } {
  const single = objectIn(body, 'embedding');
  const holders = single === null ? listIn(body, 'predictions').map((each) => objectIn(each, 'embeddings')) : [single];
  const vectors = holders.map((each) => vectorOf(isObject(each) ? each['values'] : null));
  return { vectors, tokens: vertexPredictUsage(body)?.input ?? null };
}

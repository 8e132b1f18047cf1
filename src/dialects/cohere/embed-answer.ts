import { type JsonObject, listIn } from '../json-value.js';
import { type Vector, vectorOf } from '../openai-embeddings/vector.js';

/** `embeddings` by type where types were asked for, else (older models on Bedrock) one list. */
export function cohereVectors(body: JsonObject): readonly Vector[] {
  const embeddings = body['embeddings'];
  const list = Array.isArray(embeddings) ? embeddings : listIn(embeddings, 'float');
  return list.map(vectorOf);
}

import { geminiEmbedUsage } from '../../gemini-embed/usage.js';
import { isObject, type JsonObject, listIn } from '../../json-value.js';
import { type Vector, vectorOf } from '../../openai-embeddings/vector.js';

export function fromGemini(body: JsonObject): { vectors: readonly Vector[]; tokens: number | null } {
  const vectors = listIn(body, 'embeddings').map((each) => vectorOf(isObject(each) ? each['values'] : null));
  return { vectors, tokens: geminiEmbedUsage(body)?.input ?? null };
}

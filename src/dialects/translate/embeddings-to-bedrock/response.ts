import { bedrockEmbedUsage, bedrockHeaderUsage } from '../../bedrock-embed/usage.js';
import { cohereVectors } from '../../cohere/embed-answer.js';
import { isObject, type JsonObject, listIn } from '../../json-value.js';
import { type Vector, vectorOf } from '../../openai-embeddings/vector.js';
import type { HeaderReader } from '../translation.js';

/** Titan: `embedding`; Cohere: `embeddings` of numbers, or by type; Nova: `embeddings` of objects. */
export function fromBedrock(
  body: JsonObject,
  header: HeaderReader,
): { vectors: readonly Vector[]; tokens: number | null } {
  const usage = bedrockEmbedUsage(body) ?? bedrockHeaderUsage(header);
  return { vectors: vectorsOf(body), tokens: usage?.input ?? null };
}

function vectorsOf(body: JsonObject): readonly Vector[] {
  if (Array.isArray(body['embedding'])) return [vectorOf(body['embedding'])];
  const list = listIn(body, 'embeddings');
  if (!list.some(isObject)) return cohereVectors(body);
  return list.map((each) => vectorOf(isObject(each) ? each['embedding'] : null));
}

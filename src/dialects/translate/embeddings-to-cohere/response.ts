import { billedUnits } from '../../cohere/billed-units.js';
import { cohereVectors } from '../../cohere/embed-answer.js';
import type { JsonObject } from '../../json-value.js';
import type { Vector } from '../../openai-embeddings/vector.js';

export function fromCohere(body: JsonObject): { vectors: readonly Vector[]; tokens: number | null } {
  return { vectors: cohereVectors(body), tokens: billedUnits(body)?.input ?? null };
}

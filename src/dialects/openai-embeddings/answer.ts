import type { JsonObject } from '../json-value.js';
import type { VectorEncoding } from './request.js';
import { encodeVector, type Vector } from './vector.js';

export interface AnswerMembers {
  readonly model: string;
  readonly encoding: VectorEncoding;
  readonly tokens: number;
}

/** OpenAI's answer: `data` in the order of the inputs, usage always stated. */
export function embeddingsAnswer(vectors: readonly Vector[], members: AnswerMembers): JsonObject {
  const { model, encoding, tokens } = members;
  return {
    object: 'list',
    data: vectors.map((vector, index) => ({ object: 'embedding', index, embedding: encodeVector(vector, encoding) })),
    model,
    usage: embeddingsUsage(tokens),
  };
}

export function embeddingsUsage(tokens: number): JsonObject {
  return { prompt_tokens: tokens, total_tokens: tokens };
}

import { createHash } from 'node:crypto';
import { countTokens } from '../codec/word-pieces.js';
import { type Answerer, jsonAnswer } from './answer.js';
import { countOr, listOr, textOr } from './json.js';

/** Where the client does not say. */
export const DIMENSIONS = 1536;

/** `POST /v1/embeddings`: unit vectors that depend on the input only, as floats or base64 of little-endian float32. */
export const embeddings: Answerer = (request) => {
  const inputs = inputsOf(request.body['input']);
  // `output_dimension`: Voyage AI, whose embeddings are OpenAI's but for a few names.
  const dimensions = countOr(request.body['dimensions'] ?? request.body['output_dimension'], DIMENSIONS, 4096);
  const base64 = request.body['encoding_format'] === 'base64';
  const data = inputs.map((input, index) => {
    const vector = vectorOf(input, dimensions);
    const bytes = Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength);
    return { object: 'embedding', index, embedding: base64 ? bytes.toString('base64') : [...vector] };
  });
  const tokens = inputs.reduce((sum, input) => sum + countTokens(input), 0);
  const usage = request.behaviour.usage ? { usage: { prompt_tokens: tokens, total_tokens: tokens } } : {};
  return jsonAnswer({ object: 'list', data, model: request.model, ...usage });
};

function inputsOf(input: unknown): string[] {
  const list = Array.isArray(input) && !input.every((each) => typeof each === 'number') ? input : [input];
  return list.slice(0, 2048).map((each) => (Array.isArray(each) ? listOr(each).join(' ') : textOr(each)));
}

/** A unit vector that depends on the text only. */
export function vectorOf(text: string, dimensions: number): Float32Array {
  let state = createHash('sha256').update(text).digest().readUInt32LE(0);
  const vector = new Float32Array(dimensions);
  let squares = 0;
  for (let index = 0; index < dimensions; index++) {
    // A linear congruential step (constants of Numerical Recipes): cheap, and the same on every machine.
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const value = state / 0x80000000 - 1;
    vector[index] = value;
    squares += value * value;
  }
  const length = Math.sqrt(squares) || 1;
  return vector.map((value) => value / length);
}

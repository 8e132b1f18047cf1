import type { VectorEncoding } from './request.js';

/** Numbers, or base64 of little-endian 32-bit floats: the two forms that OpenAI's API has. */
export type Vector = readonly number[] | string;

const BYTES = Float32Array.BYTES_PER_ELEMENT;
const LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** The vector in the form that the client reads, whichever form the provider wrote it in. */
export function encodeVector(vector: Vector, encoding: VectorEncoding): Vector {
  if (typeof vector === 'string') return encoding === 'base64' ? vector : fromBase64(vector);
  return encoding === 'base64' ? toBase64(vector) : vector;
}

/** The member of an answer as a vector; an empty one where a provider sent something else. */
export function vectorOf(value: unknown): Vector {
  if (typeof value === 'string') return value;
  // Looking at every number would cost more than encoding it; a list of something else becomes NaN, not an error.
  return Array.isArray(value) ? (value as readonly number[]) : [];
}

function toBase64(vector: readonly number[]): string {
  const bytes = Buffer.from(new Float32Array(vector).buffer);
  return (LITTLE_ENDIAN ? bytes : bytes.swap32()).toString('base64');
}

function fromBase64(text: string): readonly number[] {
  const bytes = Buffer.from(text, 'base64');
  return Array.from({ length: Math.floor(bytes.length / BYTES) }, (_, index) => bytes.readFloatLE(index * BYTES));
}

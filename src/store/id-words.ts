/** Words of 32 bits in a UUID. */
export const ID_WORDS = 4;

/** By character code; -1 for what is no lower-case hexadecimal digit. */
const DIGITS = new Int8Array(128).fill(-1);
for (const [value, digit] of Array.from('0123456789abcdef').entries()) DIGITS[digit.charCodeAt(0)] = value;

const DASH = '-'.charCodeAt(0);
const UUID_LENGTH = 36;
/** Of its digits, between the dashes. */
const PARTS = [
  [0, 8],
  [8, 12],
  [12, 16],
  [16, 20],
  [20, 32],
] as const;

/**
 * Puts the bits of a UUID, as Envoy writes it, into `words` from `at` on. False for every other text, upper-case digits too: then nothing
 * of `words` counts. `wordsText` gives back exactly what was read.
 */
export function readWords(id: string, words: Uint32Array, at: number): boolean {
  if (id.length !== UUID_LENGTH) return false;
  const [a, b, c, d] = [fourDigits(id, 0), fourDigits(id, 4), fourDigits(id, 9), fourDigits(id, 14)];
  const [e, f, g, h] = [fourDigits(id, 19), fourDigits(id, 24), fourDigits(id, 28), fourDigits(id, 32)];
  if ((a | b | c | d | e | f | g | h) < 0) return false;
  if (!(isDash(id, 8) && isDash(id, 13) && isDash(id, 18) && isDash(id, 23))) return false;
  words[at] = (a << 16) | b;
  words[at + 1] = (c << 16) | d;
  words[at + 2] = (e << 16) | f;
  words[at + 3] = (g << 16) | h;
  return true;
}

export function wordsText(words: Uint32Array, at: number): string {
  let digits = '';
  for (let word = at; word < at + ID_WORDS; word += 1) digits += (words[word] ?? 0).toString(16).padStart(8, '0');
  return PARTS.map(([from, to]) => digits.slice(from, to)).join('-');
}

/** Negative where one of them is none. */
function fourDigits(id: string, at: number): number {
  return (digit(id, at) << 12) | (digit(id, at + 1) << 8) | (digit(id, at + 2) << 4) | digit(id, at + 3);
}

function digit(id: string, at: number): number {
  return DIGITS[id.charCodeAt(at)] ?? -1;
}

function isDash(id: string, at: number): boolean {
  return id.charCodeAt(at) === DASH;
}

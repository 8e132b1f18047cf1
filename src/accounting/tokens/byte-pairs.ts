import type { CountPiece } from './text-tokens.js';
import type { Vocabulary } from './vocabulary.js';

/** One UTF-16 unit is at most three bytes. */
const MOST_BYTES_PER_UNIT = 3;
const NEVER = 0x7fffffff;

/**
 * Counts tokens by byte pairs: the text is split into words; one that is no piece of the vocabulary starts as single bytes, and
 * again and again the two neighbours are merged that make the piece of the lowest rank. Nothing is kept from call to call. The
 * time grows with the square of a word's length, so the caller cuts long runs.
 *
 * @param split with the flag `g`; its matches cover the whole text
 */
export function createBytePairCounter(vocabulary: Vocabulary, split: RegExp): CountPiece {
  const words = new RegExp(split);
  const pairs = new Pairs(vocabulary);
  let bytes = Buffer.alloc(0);
  return (text) => {
    if (bytes.length < text.length * MOST_BYTES_PER_UNIT) bytes = Buffer.alloc(text.length * MOST_BYTES_PER_UNIT);
    // Where all is ASCII, a word lies among the bytes where it lies in the text.
    const isAscii = bytes.write(text) === text.length;
    let tokens = 0;
    let from = 0;
    words.lastIndex = 0;
    while (words.test(text)) {
      const to = words.lastIndex;
      if (isAscii) tokens += pairs.count(bytes, from, to);
      else tokens += pairs.count(bytes, 0, bytes.write(text.slice(from, to)));
      from = to;
    }
    return tokens;
  };
}

/** Neighbouring pieces of one word. */
class Pairs {
  readonly #vocabulary: Vocabulary;
  /** Where each piece starts, and at last where the word ends. */
  #starts = new Int32Array(256);
  /** Rank of what each piece makes together with the next one. */
  #ranks = new Int32Array(256);

  constructor(vocabulary: Vocabulary) {
    this.#vocabulary = vocabulary;
  }

  /** Tokens of the word `bytes[from..to)`. */
  count(bytes: Uint8Array, from: number, to: number): number {
    if (to - from === 1 || this.#vocabulary.rankOf(bytes, from, to) >= 0) return 1;
    let pieces = this.#begin(bytes, from, to);
    for (let lowest = this.#lowest(pieces); lowest >= 0; lowest = this.#lowest(pieces)) {
      this.#starts.copyWithin(lowest + 1, lowest + 2, pieces + 1);
      this.#ranks.copyWithin(lowest, lowest + 1, pieces);
      pieces -= 1;
      this.#rank(bytes, lowest, pieces);
      if (lowest > 0) this.#rank(bytes, lowest - 1, pieces);
    }
    return pieces;
  }

  #begin(bytes: Uint8Array, from: number, to: number): number {
    const pieces = to - from;
    if (this.#starts.length <= pieces) {
      this.#starts = new Int32Array(pieces * 2);
      this.#ranks = new Int32Array(pieces * 2);
    }
    for (let at = 0; at <= pieces; at += 1) this.#starts[at] = from + at;
    for (let at = 0; at < pieces; at += 1) this.#rank(bytes, at, pieces);
    return pieces;
  }

  #rank(bytes: Uint8Array, at: number, pieces: number): void {
    const rank =
      at + 1 < pieces ? this.#vocabulary.rankOf(bytes, this.#starts[at] ?? 0, this.#starts[at + 2] ?? 0) : -1;
    this.#ranks[at] = rank < 0 ? NEVER : rank;
  }

  /** Which piece is to be merged with the next one; -1 = none. */
  #lowest(pieces: number): number {
    let lowest = NEVER;
    let found = -1;
    for (let at = 0; at < pieces; at += 1) {
      const rank = this.#ranks[at] ?? NEVER;
      if (rank >= lowest) continue;
      lowest = rank;
      found = at;
    }
    return found;
  }
}

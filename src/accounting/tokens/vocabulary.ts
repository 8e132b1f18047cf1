/** Pieces of text as bytes, each with its rank: the lower, the earlier two pieces are merged to it. */
export interface Vocabulary {
  /** Rank of `bytes[from..to)`; -1 = no piece of this vocabulary. */
  rankOf(bytes: Uint8Array, from: number, to: number): number;
}

/** Slots for each piece, at least: most are found at the first look. */
const SLOTS_PER_PIECE = 2;
const EMPTY = -1;
/** FNV-1a. */
const HASH_START = 0x811c9dc5;
const HASH_FACTOR = 0x01000193;

const LINE_END = 0x0a;
const SPACE = 0x20;
const PADDING = 0x3d;
const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/**
 * Reads a vocabulary in the tiktoken format: lines of a piece in base64, a space and its rank, ordered by rank. Pieces lie one
 * behind the other in one array and are found by their hash: 200,000 of them take 4 MB outside V8's heap, where maps and strings
 * take 60 MB that every full collection looks through.
 */
export function readVocabulary(file: Uint8Array): Vocabulary {
  const { pieces, ends } = decodePieces(file);
  const slots = new Int32Array(2 ** Math.ceil(Math.log2(ends.length * SLOTS_PER_PIECE))).fill(EMPTY);
  const mask = slots.length - 1;
  const startOf = (rank: number): number => (rank === 0 ? 0 : (ends[rank - 1] ?? 0));
  for (let rank = 0; rank < ends.length; rank += 1) {
    let slot = hash(pieces, startOf(rank), ends[rank] ?? 0) & mask;
    while (slots[slot] !== EMPTY) slot = (slot + 1) & mask;
    slots[slot] = rank;
  }
  return {
    rankOf(bytes, from, to) {
      for (let slot = hash(bytes, from, to) & mask; ; slot = (slot + 1) & mask) {
        const rank = slots[slot] ?? EMPTY;
        if (rank === EMPTY) return EMPTY;
        const start = startOf(rank);
        if ((ends[rank] ?? 0) - start !== to - from) continue;
        let same = 0;
        while (same < to - from && pieces[start + same] === bytes[from + same]) same += 1;
        if (same === to - from) return rank;
      }
    },
  };
}

function hash(bytes: Uint8Array, from: number, to: number): number {
  let value = HASH_START;
  for (let at = from; at < to; at += 1) value = Math.imul(value ^ (bytes[at] ?? 0), HASH_FACTOR);
  // The last byte has not reached the upper half, which tells pieces apart as well as the lower one.
  return value ^ (value >>> 15);
}

/** All pieces without a gap, and where each ends. A decoder of our own: 200,000 calls of Node's take three times as long. */
function decodePieces(file: Uint8Array): { pieces: Uint8Array; ends: Uint32Array } {
  const values = new Uint8Array(256);
  for (let at = 0; at < BASE64.length; at += 1) values[BASE64.charCodeAt(at)] = at;
  const pieces = new Uint8Array(file.length);
  const ends: number[] = [];
  let length = 0;
  for (let at = 0; at < file.length; at += 1) {
    let bits = 0;
    let held = 0;
    for (; at < file.length && file[at] !== SPACE; at += 1) {
      const code = file[at] ?? 0;
      if (code === PADDING) continue;
      bits = ((bits << 6) | (values[code] ?? 0)) & 0xffff;
      held += 6;
      if (held < 8) continue;
      held -= 8;
      pieces[length] = bits >>> held;
      length += 1;
    }
    ends.push(length);
    while (at < file.length && file[at] !== LINE_END) at += 1;
  }
  return { pieces: pieces.slice(0, length), ends: Uint32Array.from(ends) };
}

import { CODE, ConnectionError } from './protocol.js';

/*
 * The Huffman code of header texts. It is canonical (codes of one length follow each other in the order of their symbols), so
 * the lengths say everything. Source: RFC 7541, appendix B.
 */

const END_OF_STRING = 256;

/** Bits of the code of each byte, and of the end of string. */
export const CODE_LENGTHS: readonly number[] = [
  ...[13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28],
  ...[28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28],
  ...[6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6],
  ...[5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10],
  ...[13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7],
  ...[7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6],
  ...[15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5],
  ...[6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28],
  ...[20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23],
  ...[24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24],
  ...[22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23],
  ...[21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23],
  ...[26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25],
  ...[19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27],
  ...[20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23],
  ...[26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26],
  30,
];

/**
 * The code as a tree: two entries for each inner node, for the bits 0 and 1. An entry above 0 is the place of the next
 * node; one below 0 the complement of a symbol.
 */
const TREE = buildTree();

function buildTree(): Int16Array {
  const tree = new Int16Array(2 * END_OF_STRING);
  const byLength = CODE_LENGTHS.map((length, symbol) => ({ length, symbol })).sort(
    (one, other) => one.length - other.length || one.symbol - other.symbol,
  );
  let nodes = 1;
  let code = 0;
  let before = byLength[0]?.length ?? 0;
  for (const { length, symbol } of byLength) {
    code *= 2 ** (length - before);
    before = length;
    let node = 0;
    for (let bit = length - 1; bit > 0; bit -= 1) {
      const place = node + ((code >>> bit) & 1);
      if (tree[place] === 0) tree[place] = 2 * nodes++;
      node = tree[place] ?? 0;
    }
    tree[node + (code & 1)] = ~symbol;
    code += 1;
  }
  return tree;
}

/**
 * The text (latin1) of coded bytes.
 * @throws ConnectionError where they are not such
 */
export function decodeHuffman(bytes: Buffer): string {
  // No code is shorter than five bits.
  const text = Buffer.allocUnsafe(Math.floor((bytes.length * 8) / 5));
  let length = 0;
  let node = 0;
  let padding = 0;
  let onlyOnes = true;
  for (const byte of bytes) {
    for (let bit = 7; bit >= 0; bit -= 1) {
      const set = (byte >>> bit) & 1;
      const next = TREE[node + set] ?? 0;
      padding += 1;
      onlyOnes = onlyOnes && set === 1;
      if (next > 0) node = next;
      else {
        if (~next === END_OF_STRING) throw new ConnectionError(CODE.compression, 'the end within a text');
        text[length++] = ~next;
        node = 0;
        padding = 0;
        onlyOnes = true;
      }
    }
  }
  if (padding > 7 || !onlyOnes) throw new ConnectionError(CODE.compression, 'the end of a coded text');
  return text.toString('latin1', 0, length);
}

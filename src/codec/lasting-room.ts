/** Bytes that share one piece of memory. */
const SLAB = 16 * 1024;
/** Of these a slab holds several. */
const LARGEST = 2048;

let slab = Buffer.alloc(0);
let used = 0;

/**
 * Memory for bytes that live as long as an answer, with whatever it held before. Node's own pool holds what passes as well, and its
 * pieces stay for as long as the longest-lived bytes in them: streams that are open would keep the messages that came between
 * their beginnings. Here such bytes lie beside their like.
 */
export function lastingRoom(size: number): Buffer {
  if (size > LARGEST) return Buffer.allocUnsafeSlow(size);
  if (used + size > slab.length) {
    slab = Buffer.allocUnsafeSlow(SLAB);
    used = 0;
  }
  const from = used;
  used += size;
  return slab.subarray(from, used);
}

/** A copy of bytes [start, end) of `from` in such memory. */
export function lastingCopy(from: Buffer, start = 0, end = from.length): Buffer {
  const room = lastingRoom(end - start);
  from.copy(room, 0, start, end);
  return room;
}

/** Text whose characters are all below U+0100, one byte each. */
export function lastingLatin1(text: string): Buffer {
  const room = lastingRoom(text.length);
  room.write(text, 'latin1');
  return room;
}

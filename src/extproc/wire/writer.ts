import type { ProcessingResponse } from '../messages.js';

/** Bytes of a length that is put in later; protobuf takes lengths with leading zeros, so that no content need be moved. */
const NARROW = 2;
const WIDE = 5;
/** A nested message below this takes a narrow length: two times seven bits. */
const WIDE_ABOVE = 1 << 14;
/** Texts up to here are written in JavaScript: the way to a native function costs more. */
const SHORT = 48;
/** Bytes from which a value is left where it is. */
export const APART_ABOVE = 16 * 1024;
/** Messages are written one behind the other into memory of this size; each is a view of it. */
const SLAB = 32 * 1024;

/** gRPC's frame around a message: one byte "not compressed", four bytes of length. */
export const FRAME_PREFIX = 5;

/** A large value, and where in the written bytes it belongs. */
interface Apart {
  readonly value: Buffer;
  at: number;
}

/**
 * Writes one message after the other, in their gRPC frames. Lengths of nested messages are put in when they are known.
 * Large values are not copied: such a message has several pieces.
 */
export class WireWriter {
  #bytes = Buffer.allocUnsafeSlow(SLAB);
  /** Of this message. */
  #start = 0;
  #at = 0;
  #apart: Apart[] = [];

  /** Begins a message; one that was not taken is forgotten. */
  start(): void {
    this.#at = this.#start;
    if (this.#apart.length > 0) this.#apart = [];
    this.#room(FRAME_PREFIX);
    this.#at += FRAME_PREFIX;
  }

  /** Ends the message. */
  take(): ProcessingResponse {
    const bytes = this.#bytes;
    const start = this.#start;
    const end = this.#at;
    const length = end - start - FRAME_PREFIX + this.#apartSince(start);
    bytes[start] = 0;
    bytes[start + 1] = length >>> 24;
    bytes[start + 2] = length >>> 16;
    bytes[start + 3] = length >>> 8;
    bytes[start + 4] = length;
    this.#start = end;
    if (this.#apart.length === 0) return bytes.subarray(start, end);
    const pieces = cut(bytes, { start, end }, this.#apart);
    this.#apart = [];
    return pieces;
  }

  bool(field: number, value: boolean): void {
    this.int(field, value ? 1 : 0);
  }

  int(field: number, value: number): void {
    this.#room(2 * WIDE);
    this.#put(field << 3);
    this.#put(value);
  }

  double(field: number, value: number): void {
    this.#room(WIDE + 8);
    this.#put((field << 3) | 1);
    this.#at = this.#bytes.writeDoubleLE(value, this.#at);
  }

  /** One value; where it comes in pieces, they are joined by the order in which they leave. */
  bytes(field: number, value: Buffer | readonly Buffer[]): void {
    this.#head(field, lengthOf(value));
    if (Buffer.isBuffer(value)) this.#raw(value);
    else for (const piece of value) this.#raw(piece);
  }

  /** A `bytes` field with the low byte of each character, which is how header values are bytes. */
  latin1(field: number, value: string): void {
    const { length } = value;
    this.#head(field, length);
    this.#room(length);
    if (length > SHORT) this.#at += this.#bytes.write(value, this.#at, length, 'latin1');
    else for (let index = 0; index < length; index += 1) this.#bytes[this.#at++] = value.charCodeAt(index);
  }

  text(field: number, value: string): void {
    const units = value.length;
    if (units <= SHORT) {
      const before = this.#at - this.#start;
      this.#head(field, units);
      this.#room(units);
      if (this.#putAscii(value)) return;
      this.#at = this.#start + before;
    }
    const length = Buffer.byteLength(value);
    this.#head(field, length);
    this.#room(length);
    this.#at += this.#bytes.write(value, this.#at, length, 'utf8');
  }

  /**
   * Begins a nested message; `end` wants what it answers.
   * @param expected bytes of its content, where they are many: without it a long content is moved at the end
   */
  begin(field: number, expected = 0): number {
    this.#room(2 * WIDE);
    this.#put((field << 3) | 2);
    this.#at += widthFor(expected);
    return this.#at - this.#start;
  }

  /**
   * @param begun what `begin` answered
   * @param expected as `begin` got it
   */
  end(begun: number, expected = 0): void {
    const width = widthFor(expected);
    let from = this.#start + begun;
    const length = this.#at - from + this.#apartSince(from);
    const needed = width === NARROW && length >= WIDE_ABOVE ? WIDE : width;
    if (needed > width) from = this.#widen(from, needed - width);
    const at = from - needed;
    let rest = length;
    for (let index = 0; index < needed - 1; index += 1) {
      this.#bytes[at + index] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#bytes[at + needed - 1] = rest;
  }

  /** Moves what was written from there on. Answers where it is then. */
  #widen(from: number, by: number): number {
    const begun = from - this.#start;
    this.#room(by);
    const now = this.#start + begun;
    this.#bytes.copyWithin(now + by, now, this.#at);
    this.#at += by;
    for (const apart of this.#apart) if (apart.at >= begun) apart.at += by;
    return now + by;
  }

  /** Bytes of large values that belong behind this place. */
  #apartSince(from: number): number {
    let length = 0;
    for (const { at, value } of this.#apart) if (at >= from - this.#start) length += value.length;
    return length;
  }

  #head(field: number, length: number): void {
    this.#room(2 * WIDE);
    this.#put((field << 3) | 2);
    this.#put(length);
  }

  #raw(value: Buffer): void {
    if (value.length > APART_ABOVE) {
      this.#apart.push({ value, at: this.#at - this.#start });
      return;
    }
    this.#room(value.length);
    this.#bytes.set(value, this.#at);
    this.#at += value.length;
  }

  /** There is room. */
  #put(value: number): void {
    let rest = value;
    while (rest > 0x7f) {
      this.#bytes[this.#at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#bytes[this.#at++] = rest;
  }

  /** False at the first character that is not ASCII. There is room. */
  #putAscii(value: string): boolean {
    const bytes = this.#bytes;
    let at = this.#at;
    for (let index = 0; index < value.length; index += 1) {
      const code = value.charCodeAt(index);
      if (code > 0x7f) return false;
      bytes[at++] = code;
    }
    this.#at = at;
    return true;
  }

  /** A slab that is full is left to the messages in it; this one moves on. */
  #room(length: number): void {
    if (this.#at + length <= this.#bytes.length) return;
    const written = this.#at - this.#start;
    const slab = Buffer.allocUnsafeSlow(Math.max(SLAB, 2 * (written + length)));
    this.#bytes.copy(slab, 0, this.#start, this.#at);
    this.#bytes = slab;
    this.#start = 0;
    this.#at = written;
  }
}

/** Bytes in all. */
export function lengthOf(value: Buffer | readonly Buffer[]): number {
  if (Buffer.isBuffer(value)) return value.length;
  let length = 0;
  for (const piece of value) length += piece.length;
  return length;
}

/** The written bytes and the large values between them. Places of these count from the start. */
function cut(
  bytes: Buffer,
  { start, end }: { readonly start: number; readonly end: number },
  apart: readonly Apart[],
): readonly Buffer[] {
  const pieces: Buffer[] = [];
  let from = start;
  for (const { value, at } of apart) {
    if (start + at > from) pieces.push(bytes.subarray(from, start + at));
    pieces.push(value);
    from = start + at;
  }
  if (from < end) pieces.push(bytes.subarray(from, end));
  return pieces;
}

function widthFor(expected: number): number {
  return expected >= WIDE_ABOVE ? WIDE : NARROW;
}

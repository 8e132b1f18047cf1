/** Bytes of a length that is put in later; protobuf takes lengths with leading zeros, so that no content need be moved. */
const NARROW = 2;
const WIDE = 5;
/** A nested message below this takes a narrow length: two times seven bits. */
const WIDE_ABOVE = 1 << 14;
/** Texts up to here are written in JavaScript: the way to a native function costs more. */
const SHORT = 48;
/** Bytes from which a value is left where it is. */
export const APART_ABOVE = 16 * 1024;

/**
 * Builds one message in a buffer that grows. Lengths of nested messages are put in when they are known. The first large
 * value is not copied: the message then has three pieces.
 */
export class WireWriter {
  #bytes: Buffer;
  #at: number;
  #apart: Buffer | null = null;
  /** Where it belongs. */
  #apartAt = 0;

  /**
   * @param expected bytes that the message will about have
   * @param before bytes left free in front of it, for the caller to fill
   */
  constructor(expected: number, before = 0) {
    this.#bytes = Buffer.allocUnsafe(Math.max(256, expected + before));
    this.#at = before;
  }

  /** Bytes so far, with what was left free in front. */
  get length(): number {
    return this.#at + (this.#apart?.length ?? 0);
  }

  /** Adds the message's pieces. */
  finish(pieces: Buffer[]): void {
    const bytes = this.#bytes;
    if (this.#apart === null) pieces.push(bytes.subarray(0, this.#at));
    else {
      pieces.push(bytes.subarray(0, this.#apartAt), this.#apart);
      if (this.#apartAt < this.#at) pieces.push(bytes.subarray(this.#apartAt, this.#at));
    }
  }

  varint(value: number): void {
    this.#room(WIDE);
    this.#put(value);
  }

  bool(field: number, value: boolean): void {
    this.varint(field << 3);
    this.varint(value ? 1 : 0);
  }

  int(field: number, value: number): void {
    this.varint(field << 3);
    this.varint(value);
  }

  double(field: number, value: number): void {
    this.varint((field << 3) | 1);
    this.#room(8);
    this.#at = this.#bytes.writeDoubleLE(value, this.#at);
  }

  bytes(field: number, value: Buffer): void {
    this.varint((field << 3) | 2);
    this.varint(value.length);
    if (value.length > APART_ABOVE && this.#apart === null) {
      this.#apart = value;
      this.#apartAt = this.#at;
      return;
    }
    this.#room(value.length);
    this.#bytes.set(value, this.#at);
    this.#at += value.length;
  }

  text(field: number, value: string): void {
    const units = value.length;
    if (units <= SHORT) {
      this.#room(2 * WIDE + units);
      const before = this.#at;
      this.#put((field << 3) | 2);
      this.#put(units);
      if (this.#putAscii(value)) return;
      this.#at = before;
    }
    const length = Buffer.byteLength(value);
    this.#room(2 * WIDE + length);
    this.#put((field << 3) | 2);
    this.#put(length);
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
    return this.#at;
  }

  /**
   * @param begun what `begin` answered
   * @param expected as `begin` got it
   */
  end(begun: number, expected = 0): void {
    const width = widthFor(expected);
    const around = this.#apart !== null && this.#apartAt >= begun;
    const length = this.#at - begun + (around ? (this.#apart?.length ?? 0) : 0);
    const needed = width === NARROW && length >= WIDE_ABOVE ? WIDE : width;
    if (needed > width) {
      this.#room(needed - width);
      this.#bytes.copyWithin(begun + needed - width, begun, this.#at);
      this.#at += needed - width;
      if (around) this.#apartAt += needed - width;
    }
    const at = begun - width;
    let rest = length;
    for (let index = 0; index < needed - 1; index += 1) {
      this.#bytes[at + index] = (rest & 0x7f) | 0x80;
      rest = Math.floor(rest / 128);
    }
    this.#bytes[at + needed - 1] = rest;
  }

  /** There is room. */
  #put(value: number): void {
    let rest = value;
    while (rest > 0x7f) {
      this.#bytes[this.#at++] = (rest & 0x7f) | 0x80;
      rest = Math.floor(rest / 128);
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

  #room(length: number): void {
    if (this.#at + length <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#at + length + 64));
    larger.set(this.#bytes.subarray(0, this.#at));
    this.#bytes = larger;
  }
}

function widthFor(expected: number): number {
  return expected >= WIDE_ABOVE ? WIDE : NARROW;
}

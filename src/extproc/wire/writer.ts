/** Bytes from which a nested message gets a length of fixed width, so that its content need not be moved. */
const WIDE_ABOVE = 4096;
const WIDE = 5;
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
    let rest = value;
    while (rest > 0x7f) {
      this.#bytes[this.#at++] = (rest & 0x7f) | 0x80;
      rest = Math.floor(rest / 128);
    }
    this.#bytes[this.#at++] = rest;
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
    const length = Buffer.byteLength(value);
    this.varint((field << 3) | 2);
    this.varint(length);
    this.#room(length);
    this.#at += this.#bytes.write(value, this.#at, length, 'utf8');
  }

  /** @param expected bytes of its content, where they are many */
  message(field: number, write: () => void, expected = 0): void {
    this.varint((field << 3) | 2);
    this.#room(WIDE);
    const lengthAt = this.#at;
    const width = expected > WIDE_ABOVE ? WIDE : 1;
    this.#at += width;
    write();
    this.#putLength(lengthAt, width);
  }

  #putLength(at: number, width: number): void {
    const around = this.#apart !== null && this.#apartAt > at;
    const length = this.#at - at - width + (around ? (this.#apart?.length ?? 0) : 0);
    const needed = width === WIDE ? WIDE : widthOf(length);
    if (needed > width) {
      this.#room(needed - width);
      this.#bytes.copyWithin(at + needed, at + width, this.#at);
      this.#at += needed - width;
      if (around) this.#apartAt += needed - width;
    }
    let rest = length;
    for (let index = 0; index < needed - 1; index += 1) {
      this.#bytes[at + index] = (rest & 0x7f) | 0x80;
      rest = Math.floor(rest / 128);
    }
    this.#bytes[at + needed - 1] = rest;
  }

  #room(length: number): void {
    if (this.#at + length <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#at + length + 64));
    larger.set(this.#bytes.subarray(0, this.#at));
    this.#bytes = larger;
  }
}

function widthOf(length: number): number {
  let width = 1;
  for (let rest = length; rest > 0x7f; rest = Math.floor(rest / 128)) width += 1;
  return width;
}

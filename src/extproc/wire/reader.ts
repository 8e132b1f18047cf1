import { NameCache } from './name-cache.js';

/** Wire types of Protocol Buffers that Envoy's messages use. */
const VARINT = 0;
const FIXED64 = 1;
const LENGTH = 2;
const FIXED32 = 5;

const NAMES = new NameCache();

/**
 * A cursor over one message's bytes. Reads are checked: bytes that are no message throw a RangeError and never lead
 * outside the buffer. Source of the format: protobuf.dev, "Encoding".
 */
export class WireReader {
  readonly #bytes: Buffer;
  #at: number;
  #end: number;

  /**
   * @param from the part that is read; all of the message where it is not given
   * @param to its end
   */
  constructor(bytes: Buffer, from = 0, to = bytes.length) {
    this.#bytes = bytes;
    this.#at = from;
    this.#end = to;
  }

  /** Place of the next byte. */
  get at(): number {
    return this.#at;
  }

  /** Place behind the last byte of what is being read. */
  get end(): number {
    return this.#end;
  }

  get done(): boolean {
    return this.#at >= this.#end;
  }

  /** The next field's tag: number << 3 | wire type. */
  tag(): number {
    return this.varint();
  }

  /** Values above 2^53 lose precision: none that is read here is that large. */
  varint(): number {
    const first = this.#at < this.#end ? (this.#bytes[this.#at] ?? 0) : 0x80;
    if (first < 0x80) {
      this.#at += 1;
      return first;
    }
    let value = 0;
    let scale = 1;
    for (let length = 0; length < 10; length += 1) {
      if (this.#at >= this.#end) throw new RangeError('varint beyond the end');
      const byte = this.#bytes[this.#at++] ?? 0;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 128;
    }
    throw new RangeError('varint too long');
  }

  double(): number {
    const at = this.#advance(8);
    return this.#bytes.readDoubleLE(at);
  }

  /** A view, valid as long as the message's buffer is. */
  view(): Buffer {
    const length = this.varint();
    const at = this.#advance(length);
    return this.#bytes.subarray(at, at + length);
  }

  /** Steps over a length and as many bytes. Answers where they begin; they end at `at`. */
  span(): number {
    return this.#advance(this.varint());
  }

  text(): string {
    const length = this.varint();
    const at = this.#advance(length);
    return this.#bytes.toString('utf8', at, at + length);
  }

  /** A text that is often the same, such as a header's name: known ones are not made again. */
  name(): string {
    const length = this.varint();
    const at = this.#advance(length);
    return NAMES.text(this.#bytes, at, length);
  }

  /** Goes into a nested message: until `leave` it is all there is. Answers what `leave` wants. */
  enter(): number {
    const length = this.varint();
    const outer = this.#end;
    const at = this.#advance(length);
    this.#end = at + length;
    this.#at = at;
    return outer;
  }

  /** Also steps over what was not read of it. */
  leave(outer: number): void {
    this.#at = this.#end;
    this.#end = outer;
  }

  /** Steps over a field that nobody wants. */
  skip(tag: number): void {
    const type = tag & 7;
    if (type === VARINT) this.varint();
    else if (type === FIXED64) this.#advance(8);
    else if (type === LENGTH) this.#advance(this.varint());
    else if (type === FIXED32) this.#advance(4);
    else throw new RangeError(`wire type ${type}`);
  }

  #advance(length: number): number {
    const at = this.#at;
    if (at + length > this.#end) throw new RangeError('field beyond the end');
    this.#at = at + length;
    return at;
  }
}

import { type HeaderField, headerField } from './header-field.js';
import { decodeHuffman } from './huffman.js';
import { CODE, ConnectionError } from './protocol.js';
import { STATIC_FIELDS } from './static-table.js';

/** What we allow the peer's table to hold: the default, so that nothing need be said. */
export const TABLE_SIZE = 4096;
/** Bytes of one request's header list; a few hundred are usual. */
const MOST_LIST = 64 * 1024;
/** Indexes and lengths above this are no honest ones. */
const MOST_INTEGER = 1 << 24;

const STATIC = STATIC_FIELDS.map(([name, value]) => headerField(name, value));

/** Takes the fields of one block, in their order. */
export interface FieldSink {
  take(field: HeaderField): void;
}

/**
 * Decodes header blocks of one connection. Envoy sends the same fields again and again, so most are found in the table, where
 * they lie with what they mean. Source: RFC 7541.
 */
export class HpackDecoder {
  /** The oldest first. */
  #table: HeaderField[] = [];
  #size = 0;
  #allowed = TABLE_SIZE;
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;

  /** @throws ConnectionError; then the table is lost, and the connection with it */
  decode(block: Buffer, sink: FieldSink): void {
    this.#bytes = block;
    this.#at = 0;
    let list = 0;
    while (this.#at < block.length) {
      const first = block.readUInt8(this.#at);
      if ((first & 0xe0) === 0x20) {
        if (list > 0) throw new ConnectionError(CODE.compression, 'a table size after fields');
        this.#resize(this.#integer(0x1f));
        continue;
      }
      const field = (first & 0x80) === 0 ? this.#literal(first) : this.#indexed(this.#integer(0x7f));
      list += field.size;
      if (list > MOST_LIST) throw new ConnectionError(CODE.enhanceYourCalm, 'too many headers');
      sink.take(field);
    }
  }

  #literal(first: number): HeaderField {
    const kept = (first & 0x40) !== 0;
    const index = this.#integer(kept ? 0x3f : 0x0f);
    const name = index === 0 ? this.#text() : this.#indexed(index).name;
    const field = headerField(name, this.#text());
    if (kept) this.#keep(field);
    return field;
  }

  #indexed(index: number): HeaderField {
    const field =
      index <= STATIC.length ? STATIC[index - 1] : this.#table[this.#table.length - (index - STATIC.length)];
    if (field === undefined) throw new ConnectionError(CODE.compression, `no field ${index}`);
    return field;
  }

  #keep(field: HeaderField): void {
    this.#size += field.size;
    this.#table.push(field);
    this.#shrink();
  }

  #resize(allowed: number): void {
    if (allowed > TABLE_SIZE) throw new ConnectionError(CODE.compression, `a table of ${allowed} bytes`);
    this.#allowed = allowed;
    this.#shrink();
  }

  /** A field larger than the whole table empties it, and is not an error. */
  #shrink(): void {
    while (this.#size > this.#allowed) this.#size -= this.#table.shift()?.size ?? this.#size;
  }

  /** @param mask of the bits in the first byte */
  #integer(mask: number): number {
    let value = this.#byte() & mask;
    if (value < mask) return value;
    for (let factor = 1; ; factor *= 128) {
      const byte = this.#byte();
      value += (byte & 0x7f) * factor;
      if (value > MOST_INTEGER || factor > MOST_INTEGER) throw new ConnectionError(CODE.compression, 'a huge number');
      if ((byte & 0x80) === 0) return value;
    }
  }

  #text(): string {
    const coded = ((this.#bytes[this.#at] ?? 0) & 0x80) !== 0;
    const length = this.#integer(0x7f);
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new ConnectionError(CODE.compression, 'a text that is cut');
    const text = coded
      ? decodeHuffman(this.#bytes.subarray(this.#at, end))
      : this.#bytes.toString('latin1', this.#at, end);
    this.#at = end;
    return text;
  }

  #byte(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw new ConnectionError(CODE.compression, 'a block that is cut');
    this.#at += 1;
    return byte;
  }
}

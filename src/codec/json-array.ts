import { Gatherer } from './gatherer.js';
import { MAX_LINE } from './sse.js';

/** What the reader of a JSON array is told. `bytes` is valid only during the call. */
export interface JsonArrayHandler {
  /** One element lies at [start, end); that it is JSON has not been checked. */
  element(bytes: Buffer, start: number, end: number): void;
  /** An element that was longer than the bound was passed over. */
  tooLong(): void;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** Where the cutter stands, between chunks too. */
const BEFORE = 0;
const BETWEEN = 1;
const INSIDE = 2;
const STRING = 3;
const AFTER = 4;
const FOREIGN = 5;

/**
 * Cuts one JSON array, itself cut anywhere, into its elements: Gemini streams so where nobody asks for server-sent events. An object
 * in place of the array (an error, a whole answer) counts as its only element. Bytes are copied only where an element crosses
 * from one chunk to the next. Never throws: what is no array yields nothing.
 */
export class JsonArrayCutter {
  readonly #handler: JsonArrayHandler;
  readonly #maxElement: number;
  readonly #kept = new Gatherer();
  #state = BEFORE;
  /** Brackets open inside the element in hand. */
  #depth = 0;
  /** The last byte was a backslash that escapes the next one. */
  #escaped = false;
  /** The literal that is passing is the element itself. */
  #bare = false;
  /** No array around: the element is all there is. */
  #alone = false;
  #tooLong = false;
  /** Where the element in hand begins in this chunk; 0 when it began in an earlier one. */
  #start = 0;

  constructor(handler: JsonArrayHandler, maxElement = MAX_LINE) {
    this.#handler = handler;
    this.#maxElement = maxElement;
  }

  push(chunk: Buffer): void {
    this.#start = 0;
    let at = 0;
    while (at < chunk.length) at = this.#state === STRING ? this.#string(chunk, at) : this.#step(chunk, at);
    if (this.#state === INSIDE || this.#state === STRING) this.#keep(chunk, chunk.length);
  }

  /** The bytes are over: false when an element was cut off, or when something else than an array or object came. */
  end(): boolean {
    return this.#state !== INSIDE && this.#state !== STRING && this.#state !== FOREIGN;
  }

  /** Handles the byte at `at` outside strings; returns where to go on. */
  #step(chunk: Buffer, at: number): number {
    const byte = chunk[at] as number;
    if (this.#state === INSIDE) return this.#inside(chunk, at, byte);
    if (this.#state === AFTER || this.#state === FOREIGN) return chunk.length;
    if (isSpace(byte)) return at + 1;
    if (this.#state === BEFORE) return this.#open(at, byte);
    if (byte === COMMA) return at + 1;
    if (byte === CLOSE_LIST) this.#state = AFTER;
    else this.#begin(at, byte);
    return at + 1;
  }

  #open(at: number, byte: number): number {
    if (byte === OPEN_LIST) this.#state = BETWEEN;
    else if (byte === OPEN_OBJECT) {
      this.#alone = true;
      this.#begin(at, byte);
    } else this.#state = FOREIGN;
    return at + 1;
  }

  #begin(at: number, byte: number) {
    this.#start = at;
    this.#depth = byte === OPEN_OBJECT || byte === OPEN_LIST ? 1 : 0;
    this.#bare = this.#depth === 0;
    this.#state = byte === QUOTE ? STRING : INSIDE;
  }

  #inside(chunk: Buffer, at: number, byte: number): number {
    if (this.#bare) {
      if (byte !== COMMA && byte !== CLOSE_LIST && !isSpace(byte)) return at + 1;
      this.#finish(chunk, at);
      return at;
    }
    if (byte === QUOTE) this.#state = STRING;
    else if (byte === OPEN_OBJECT || byte === OPEN_LIST) this.#depth += 1;
    else if (byte === CLOSE_OBJECT || byte === CLOSE_LIST) {
      this.#depth -= 1;
      if (this.#depth === 0) this.#finish(chunk, at + 1);
    }
    return at + 1;
  }

  /** Goes behind the quote that closes the literal, or to the end of the chunk. */
  #string(chunk: Buffer, from: number): number {
    const start = this.#escaped ? from + 1 : from;
    this.#escaped = false;
    const quote = chunk.indexOf(QUOTE, start);
    const end = quote < 0 ? chunk.length : quote;
    let before = end;
    while (before > start && chunk[before - 1] === BACKSLASH) before -= 1;
    const escaped = (end - before) % 2 === 1;
    if (quote < 0) {
      this.#escaped = escaped;
      return chunk.length;
    }
    if (escaped) return quote + 1;
    this.#state = INSIDE;
    if (this.#bare) this.#finish(chunk, quote + 1);
    return quote + 1;
  }

  #finish(chunk: Buffer, end: number) {
    this.#state = this.#alone ? AFTER : BETWEEN;
    if (this.#kept.length > 0 || this.#tooLong || end - this.#start > this.#maxElement) this.#keep(chunk, end);
    if (this.#tooLong) this.#handler.tooLong();
    else if (this.#kept.length > 0) this.#handler.element(this.#kept.bytes, 0, this.#kept.length);
    else this.#handler.element(chunk, this.#start, end);
    this.#tooLong = false;
    this.#kept.clear();
  }

  #keep(chunk: Buffer, end: number) {
    if (this.#tooLong) return;
    if (this.#kept.length + end - this.#start <= this.#maxElement) return this.#kept.add(chunk, this.#start, end);
    this.#tooLong = true;
    this.#kept.clear();
  }
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

import { Gatherer } from './gatherer.js';

/** Lines above this are passed over: no provider's event that we read is near it. */
export const MAX_LINE = 4 * 1024 * 1024;

/** What the reader of an event stream is told. `bytes` is valid only during the call. */
export interface SseHandler {
  /** One event that has data. `type` is the value of its `event:` line, or ''. Several `data:` lines are joined by LF. */
  event(type: string, bytes: Buffer, start: number, end: number): void;
  /** A line `error: …` outside the grammar, as llama.cpp sends it in mid-stream. */
  bareError(bytes: Buffer, start: number, end: number): void;
  /** Between two events: where the next one begins that is to be read, behind whole ones that the handler knows by sight. */
  passOver(chunk: Buffer, at: number): number;
}

const LF = 0x0a;
const CR = 0x0d;
const COLON = 0x3a;
const SPACE = 0x20;
const NO_BYTES = Buffer.alloc(0);

/**
 * Splits a server-sent event stream (WHATWG HTML, section 9.2) that is cut anywhere: LF, CRLF, CR and split pairs, comments,
 * lines of any length up to `MAX_LINE`, a missing last blank line. Bytes are copied only where a line or an event crosses
 * from one chunk to the next.
 */
export class SseSplitter {
  /** Lines that were longer than the bound and therefore not read. */
  skippedLines = 0;
  readonly #handler: SseHandler;
  readonly #maxLine: number;
  readonly #line = new Gatherer();
  readonly #joined = new Gatherer();
  #lineTooLong = false;
  #afterCr = false;
  #type = '';
  /** Data of the event in hand: a range of `#data`, or of `#joined` when several lines or chunks were put together. */
  #data: Buffer = NO_BYTES;
  #start = 0;
  #end = -1;
  #first = true;

  constructor(handler: SseHandler, maxLine = MAX_LINE) {
    this.#handler = handler;
    this.#maxLine = maxLine;
  }

  push(chunk: Buffer): void {
    let at = this.#afterCr && chunk[0] === LF ? 1 : 0;
    if (chunk.length > 0) this.#afterCr = false;
    if (this.#line.length === 0 && !this.#lineTooLong) at = this.#passOver(chunk, at);
    // Nearly always.
    if (at >= chunk.length) return;
    const mayHaveCr = chunk.includes(CR, at);
    while (at < chunk.length) {
      const end = mayHaveCr ? lineEnd(chunk, at) : chunk.indexOf(LF, at);
      if (end < 0) {
        this.#carry(chunk, at, chunk.length);
        break;
      }
      this.#endLine(chunk, at, end);
      at = end + 1;
      if (chunk[end] === CR) {
        if (at === chunk.length) this.#afterCr = true;
        else if (chunk[at] === LF) at += 1;
      }
      at = this.#passOver(chunk, at);
    }
    this.#own();
  }

  /** The stream is over: an unfinished last line and an event without its blank line still count. */
  end(): void {
    if (this.#line.length > 0 || this.#lineTooLong) this.#endLine(NO_BYTES, 0, 0);
    this.#dispatch();
  }

  /** At the beginning of a line. */
  #passOver(chunk: Buffer, at: number): number {
    return this.#end < 0 && this.#type === '' && at < chunk.length ? this.#handler.passOver(chunk, at) : at;
  }

  #carry(chunk: Buffer, start: number, end: number) {
    if (this.#lineTooLong) return;
    if (this.#line.length + end - start <= this.#maxLine) return this.#line.add(chunk, start, end);
    this.#lineTooLong = true;
    this.#line.clear();
  }

  #endLine(chunk: Buffer, start: number, end: number) {
    if (!this.#lineTooLong && this.#line.length === 0 && end - start <= this.#maxLine) {
      return this.#read(chunk, start, end);
    }
    this.#carry(chunk, start, end);
    if (this.#lineTooLong) this.skippedLines += 1;
    else this.#readGathered();
    this.#lineTooLong = false;
    this.#line.clear();
  }

  #readGathered() {
    this.#read(this.#line.bytes, 0, this.#line.length);
    // The gatherer is used again for the next line, so the data may not stay in it.
    if (this.#data === this.#line.bytes) this.#own();
  }

  #read(bytes: Buffer, from: number, end: number) {
    const start = this.#first ? afterBom(bytes, from, end) : from;
    this.#first = false;
    if (start === end) return this.#dispatch();
    const first = bytes[start];
    // d, e and ':' tell all lines apart that a stream normally has; id, retry and unknown fields mean nothing here.
    if (first === 0x64 && has(bytes, start, end, 'data')) this.#addData(bytes, valueStart(bytes, start + 4, end), end);
    else if (first !== 0x65) return;
    else if (has(bytes, start, end, 'event')) {
      this.#type = bytes.toString('latin1', valueStart(bytes, start + 5, end), Math.min(end, start + 128));
    } else if (has(bytes, start, end, 'error')) this.#handler.bareError(bytes, valueStart(bytes, start + 5, end), end);
  }

  #addData(bytes: Buffer, start: number, end: number) {
    if (this.#end < 0) {
      this.#data = bytes;
      this.#start = start;
      this.#end = end;
      return;
    }
    this.#own();
    if (this.#joined.length + end - start > this.#maxLine) {
      this.skippedLines += 1;
      return;
    }
    this.#joined.add(LINE_BREAK, 0, 1);
    this.#joined.add(bytes, start, end);
    this.#data = this.#joined.bytes;
    this.#end = this.#joined.length;
  }

  /** Copies the data in hand, because the memory it lies in is about to be reused. */
  #own() {
    if (this.#end < 0 || this.#data === this.#joined.bytes) return;
    this.#joined.clear();
    this.#joined.add(this.#data, this.#start, this.#end);
    this.#data = this.#joined.bytes;
    this.#end = this.#joined.length;
    this.#start = 0;
  }

  #dispatch() {
    const end = this.#end;
    this.#end = -1;
    const type = this.#type;
    this.#type = '';
    if (end >= 0) this.#handler.event(type, this.#data, this.#start, end);
    this.#data = NO_BYTES;
    this.#joined.clear();
  }
}

const LINE_BREAK = Buffer.from('\n');

/** One pass for both: two searches per line would be quadratic in a chunk of CR lines. */
function lineEnd(chunk: Buffer, from: number): number {
  for (let at = from; at < chunk.length; at += 1) {
    if (chunk[at] === LF || chunk[at] === CR) return at;
  }
  return -1;
}

/** The line is the field `name`, alone or followed by a colon. */
function has(bytes: Buffer, start: number, end: number, name: string): boolean {
  for (let index = 0; index < name.length; index += 1) {
    if (bytes[start + index] !== name.charCodeAt(index)) return false;
  }
  const after = start + name.length;
  return after === end || (after < end && bytes[after] === COLON);
}

/** `at` is behind the field's name; one space behind the colon is not part of the value. */
function valueStart(bytes: Buffer, at: number, end: number): number {
  if (at >= end) return end;
  return bytes[at + 1] === SPACE && at + 1 < end ? at + 2 : at + 1;
}

function afterBom(bytes: Buffer, start: number, end: number): number {
  const bom = end - start >= 3 && bytes[start] === 0xef && bytes[start + 1] === 0xbb && bytes[start + 2] === 0xbf;
  return bom ? start + 3 : start;
}

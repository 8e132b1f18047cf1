import { CODE, ConnectionError, FLAG, FRAME, HEAD, LARGEST, PREFACE } from './protocol.js';

/** A frame without its payload. */
export interface FrameHead {
  readonly length: number;
  readonly type: number;
  readonly flags: number;
  /** 0 = the connection. */
  readonly stream: number;
}

/** Gets what was read. Views and the head are valid during the call only. */
export interface FrameSink {
  /** A whole frame of any known type but DATA. */
  frame(head: FrameHead, payload: Buffer): void;
  /** The head of a DATA frame; its length counts for the windows, padding included. */
  dataBegins(head: FrameHead): void;
  /** The bytes of `chunk` from `from` up to `to` are data of the frame that began last. */
  data(chunk: Buffer, from: number, to: number): void;
  /** All data of the frame has come. */
  dataEnds(): void;
}

/** Payloads of frames that are no DATA are collected whole: headers up to here, everything else is far smaller. */
const MOST_COLLECTED = 64 * 1024;

/**
 * Cuts a connection's bytes into frames, wherever the chunks are cut. DATA is handed on as it comes, so that a large
 * body is copied once, by its reader. Source: RFC 9113, sections 3.4, 4.1 and 6.1.
 */
export class FrameReader {
  readonly #sink: FrameSink;
  readonly #largest: number;
  readonly #head = { length: 0, type: 0, flags: 0, stream: 0 };
  /** Bytes of the preface that have come. */
  #greeted = 0;
  /** A head that lies across chunks. */
  readonly #cut = Buffer.alloc(HEAD);
  #cutLength = 0;
  /** Within a frame: bytes of its payload that have not come, padding included. */
  #rest = 0;
  #within = false;
  /** Of a DATA frame; null = its length has not come. */
  #padding: number | null = 0;
  /** A payload that lies across chunks. */
  #collected: Buffer | null = null;

  /** @param largest payload that we allow, in bytes */
  constructor(sink: FrameSink, largest: number) {
    this.#sink = sink;
    this.#largest = largest;
  }

  /** @throws ConnectionError; then the bytes mean nothing any more */
  push(chunk: Buffer): void {
    let at = this.#greeted < PREFACE.length ? this.#greet(chunk) : 0;
    while (at < chunk.length || (this.#within && this.#rest === 0)) {
      at = this.#within ? this.#payload(chunk, at) : this.#readHead(chunk, at);
    }
  }

  #greet(chunk: Buffer): number {
    const length = Math.min(PREFACE.length - this.#greeted, chunk.length);
    if (chunk.compare(PREFACE, this.#greeted, this.#greeted + length, 0, length) !== 0) {
      throw new ConnectionError(CODE.protocol, 'this is no HTTP/2');
    }
    this.#greeted += length;
    return length;
  }

  #readHead(chunk: Buffer, at: number): number {
    if (this.#cutLength === 0 && chunk.length - at >= HEAD) {
      this.#begin(chunk, at);
      return at + HEAD;
    }
    const copied = chunk.copy(this.#cut, this.#cutLength, at);
    this.#cutLength += copied;
    if (this.#cutLength === HEAD) {
      this.#cutLength = 0;
      this.#begin(this.#cut, 0);
    }
    return at + copied;
  }

  #begin(bytes: Buffer, at: number): void {
    const head = this.#head;
    head.length = bytes.readUIntBE(at, 3);
    head.type = bytes.readUInt8(at + 3);
    head.flags = bytes.readUInt8(at + 4);
    head.stream = bytes.readUInt32BE(at + 5) & LARGEST;
    if (head.length > this.#largest) throw new ConnectionError(CODE.frameSize, `a frame of ${head.length} bytes`);
    this.#rest = head.length;
    this.#within = true;
    if (head.type === FRAME.data) {
      this.#padding = (head.flags & FLAG.padded) === 0 ? 0 : null;
      this.#sink.dataBegins(head);
    } else if (head.type <= FRAME.continuation && head.length > MOST_COLLECTED) {
      throw new ConnectionError(CODE.enhanceYourCalm, `${head.length} bytes of headers`);
    }
  }

  #payload(chunk: Buffer, at: number): number {
    const { type } = this.#head;
    if (type === FRAME.data) return this.#data(chunk, at);
    if (type <= FRAME.continuation) return this.#whole(chunk, at);
    const end = Math.min(chunk.length, at + this.#rest);
    this.#rest -= end - at;
    // What nobody knows is left out, but not uncounted.
    if (this.#rest === 0) this.#end(EMPTY);
    return end;
  }

  #data(chunk: Buffer, at: number): number {
    let from = at;
    if (this.#padding === null) {
      if (this.#rest === 0 || chunk.readUInt8(at) >= this.#rest) throw new ConnectionError(CODE.protocol, 'padding');
      this.#padding = chunk.readUInt8(at);
      this.#rest -= 1;
      from += 1;
    }
    const to = Math.min(chunk.length, from + this.#rest - this.#padding);
    if (to > from) {
      this.#rest -= to - from;
      this.#sink.data(chunk, from, to);
      from = to;
    }
    if (this.#rest > this.#padding) return from;
    const end = Math.min(chunk.length, from + this.#rest);
    this.#rest -= end - from;
    this.#padding = this.#rest;
    if (this.#rest === 0) {
      this.#within = false;
      this.#sink.dataEnds();
    }
    return end;
  }

  #whole(chunk: Buffer, at: number): number {
    const { length } = this.#head;
    if (this.#collected === null && at + length <= chunk.length) {
      this.#end(chunk.subarray(at, at + length));
      return at + length;
    }
    const collected = this.#collected ?? Buffer.allocUnsafe(length);
    this.#collected = collected;
    const copied = chunk.copy(collected, length - this.#rest, at);
    this.#rest -= copied;
    if (this.#rest === 0) {
      this.#collected = null;
      this.#end(collected);
    }
    return at + copied;
  }

  #end(payload: Buffer): void {
    this.#within = false;
    this.#sink.frame(this.#head, payload);
  }
}

const EMPTY = Buffer.alloc(0);

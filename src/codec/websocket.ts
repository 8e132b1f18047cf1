import { Gatherer } from './gatherer.js';

/** What is told of one direction of a WebSocket, in the order of the bytes. */
export interface WebSocketHandler {
  /** A whole text message; the bytes are only valid during the call. */
  text(bytes: Buffer): void;
  /** The close frame. What may follow it means nothing. */
  closed(): void;
  /** A message that cannot be read: too long, compressed, or bytes of another kind. */
  skipped(): void;
}

const CONTINUATION = 0x0;
const TEXT = 0x1;
const BINARY = 0x2;
const CLOSE = 0x8;
const MAX_CONTROL = 0xa;

/** A longer message is passed over. */
const MAX_MESSAGE = 4 * 1024 * 1024;
const LONGEST_HEADER = 10;

/**
 * Reads the frames of a server, which are not masked (RFC 6455, section 5). Chunks may be cut anywhere; control frames may
 * stand between the pieces of a message. Bytes that are no such frames end the reading; nothing throws.
 */
export class WebSocketReader {
  readonly #handler: WebSocketHandler;
  readonly #header = Buffer.alloc(LONGEST_HEADER);
  #headerBytes = 0;
  /** Bytes of the frame's payload that are still to come; -1 while its header is read. */
  #left = -1;
  #opcode = CONTINUATION;
  #final = false;
  readonly #message = new Gatherer();
  /** A text message has begun and may go on in the next frame. */
  #reading = false;
  #over = false;

  constructor(handler: WebSocketHandler) {
    this.#handler = handler;
  }

  /** False once bytes came that are no frames, or the close frame. */
  get readable(): boolean {
    return !this.#over;
  }

  push(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length && !this.#over) {
      if (this.#left < 0) at = this.#takeHeader(chunk, at);
      else at = this.#takePayload(chunk, at);
    }
  }

  #takeHeader(chunk: Buffer, start: number): number {
    let at = start;
    while (at < chunk.length && this.#headerBytes < this.#headerLength()) {
      this.#header[this.#headerBytes++] = chunk[at++] ?? 0;
    }
    if (this.#headerBytes === this.#headerLength()) this.#frame();
    return at;
  }

  /** Of the frame whose first bytes are known. */
  #headerLength(): number {
    if (this.#headerBytes < 2) return 2;
    const short = (this.#header[1] ?? 0) & 0x7f;
    return short === 127 ? 10 : short === 126 ? 4 : 2;
  }

  #frame(): void {
    const first = this.#header[0] ?? 0;
    const second = this.#header[1] ?? 0;
    const opcode = first & 0x0f;
    const length = this.#payloadLength();
    // A control frame is short, whole and plain.
    const control = opcode >= CLOSE && opcode <= MAX_CONTROL && (first & 0xf0) === 0x80 && length < 126;
    if ((second & 0x80) !== 0 || !(opcode <= BINARY || control) || !Number.isSafeInteger(length)) {
      this.#end();
      return;
    }
    this.#headerBytes = 0;
    this.#left = length;
    this.#opcode = opcode;
    this.#final = (first & 0x80) !== 0;
    if (opcode === TEXT || opcode === BINARY) this.#begin(opcode === TEXT && (first & 0x70) === 0);
    if (length === 0) this.#frameEnds();
  }

  #payloadLength(): number {
    const short = (this.#header[1] ?? 0) & 0x7f;
    if (short === 126) return this.#header.readUInt16BE(2);
    return short === 127 ? Number(this.#header.readBigUInt64BE(2)) : short;
  }

  /** @param readable text that is not compressed */
  #begin(readable: boolean): void {
    this.#message.clear();
    this.#reading = readable;
    if (!readable) this.#handler.skipped();
  }

  #takePayload(chunk: Buffer, start: number): number {
    const end = Math.min(chunk.length, start + this.#left);
    this.#left -= end - start;
    if (this.#reading && this.#opcode < CLOSE) {
      if (this.#left === 0 && this.#final && this.#message.length === 0) {
        // Most messages lie in one piece: they are read where they are.
        this.#reading = false;
        this.#handler.text(chunk.subarray(start, end));
      } else this.#gather(chunk, start, end);
    }
    if (this.#left === 0) this.#frameEnds();
    return end;
  }

  #gather(chunk: Buffer, start: number, end: number): void {
    if (this.#message.length + end - start <= MAX_MESSAGE) {
      this.#message.add(chunk, start, end);
      return;
    }
    this.#message.clear();
    this.#reading = false;
    this.#handler.skipped();
  }

  #frameEnds(): void {
    this.#left = -1;
    if (this.#opcode === CLOSE) {
      this.#over = true;
      this.#handler.closed();
    } else if (this.#opcode < CLOSE && this.#final) {
      if (this.#reading) this.#handler.text(this.#message.bytes.subarray(0, this.#message.length));
      this.#reading = false;
      this.#message.clear();
    }
  }

  #end(): void {
    this.#over = true;
    this.#handler.skipped();
  }
}

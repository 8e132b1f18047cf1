import { STATUS } from '../grpc-status.js';
import { FRAME_PREFIX } from '../wire/writer.js';

/** Bytes that are no gRPC messages, or not such as we take. */
export class FrameError extends Error {
  /** gRPC status that tells the peer. */
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** Gets each message in memory that is not written to again: large ones in their own, small ones share Node's pool. */
export interface MessageTaker {
  message(bytes: Buffer): void;
}

/**
 * Cuts one stream's bytes into gRPC messages, wherever the chunks are cut. Source of the format: gRPC over HTTP2,
 * "Length-Prefixed-Message".
 */
export class MessageFrames {
  readonly #largest: number;
  readonly #taker: MessageTaker;
  /** Bytes of a prefix that lies across chunks. */
  #prefix: Buffer | null = null;
  #prefixLength = 0;
  /** A message that lies across chunks, as far as it has come. */
  #message: Buffer | null = null;
  #filled = 0;
  /** Of what is being read. */
  #end = 0;

  /** @param largest bytes */
  constructor(largest: number, taker: MessageTaker) {
    this.#largest = largest;
    this.#taker = taker;
  }

  /** False in the middle of a message. */
  get between(): boolean {
    return this.#message === null && this.#prefixLength === 0;
  }

  /**
   * Copies the bytes of `chunk` from `from` up to `to`.
   * @throws FrameError; then the stream's bytes mean nothing any more
   */
  push(chunk: Buffer, from = 0, to = chunk.length): void {
    this.#end = to;
    let at = from;
    while (at < to) {
      if (this.#message !== null) at = this.#fill(this.#message, chunk, at);
      else if (this.#prefixLength === 0 && to - at >= FRAME_PREFIX) {
        at = this.#begin(this.#length(chunk, at), chunk, at + FRAME_PREFIX);
      } else at = this.#cutPrefix(chunk, at);
    }
  }

  #length(bytes: Buffer, at: number): number {
    if (bytes[at] !== 0) throw new FrameError(STATUS.UNIMPLEMENTED, 'compressed messages are not taken');
    const length = bytes.readUInt32BE(at + 1);
    if (length > this.#largest) throw new FrameError(STATUS.RESOURCE_EXHAUSTED, `a message of ${length} bytes`);
    return length;
  }

  #begin(length: number, chunk: Buffer, at: number): number {
    const end = at + length;
    if (end <= this.#end) {
      const message = Buffer.allocUnsafe(length);
      chunk.copy(message, 0, at, end);
      this.#taker.message(message);
      return end;
    }
    // Its own memory from the first byte on: large bodies are copied once.
    this.#message = Buffer.allocUnsafeSlow(length);
    this.#filled = 0;
    return at;
  }

  #fill(message: Buffer, chunk: Buffer, at: number): number {
    const copied = chunk.copy(message, this.#filled, at, this.#end);
    this.#filled += copied;
    if (this.#filled === message.length) {
      this.#message = null;
      this.#taker.message(message);
    }
    return at + copied;
  }

  #cutPrefix(chunk: Buffer, at: number): number {
    this.#prefix ??= Buffer.alloc(FRAME_PREFIX);
    const copied = chunk.copy(this.#prefix, this.#prefixLength, at, this.#end);
    this.#prefixLength += copied;
    if (this.#prefixLength < FRAME_PREFIX) return at + copied;
    this.#prefixLength = 0;
    return this.#begin(this.#length(this.#prefix, 0), chunk, at + copied);
  }
}

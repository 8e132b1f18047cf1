import { STATUS } from '../grpc-status.js';
import { type Channel, GuardedCall } from '../guarded-call.js';
import type { ProcessingResponse } from '../messages.js';
import { decodeRequest } from '../wire/decode-request.js';
import type { Stream, StreamUser } from './h2/stream.js';
import { ANSWER_HEADERS, endBlock } from './header-blocks.js';
import { FrameError, MessageFrames, type MessageTaker } from './message-frames.js';

export interface NetCallOptions {
  readonly maxMessageBytes: number;
  readonly fault: (what: string, error: unknown) => void;
  readonly closed: (call: NetCall) => void;
}

let opened = 0;

/** One gRPC stream of ext_proc on an HTTP/2 stream of ours. */
export class NetCall implements Channel, StreamUser, MessageTaker {
  readonly call: GuardedCall;
  /** Of all in this process. */
  readonly number: number;
  readonly #stream: Stream;
  readonly #frames: MessageFrames;
  readonly #options: NetCallOptions;
  #answered = false;

  constructor(stream: Stream, options: NetCallOptions) {
    this.number = opened;
    opened += 1;
    this.#stream = stream;
    this.#options = options;
    this.call = new GuardedCall(this, options.fault);
    this.#frames = new MessageFrames(options.maxMessageBytes, this);
  }

  send(response: ProcessingResponse, taken?: () => void): void {
    if (!this.#answered) this.#stream.headers(ANSWER_HEADERS);
    this.#answered = true;
    this.#stream.send(response, taken);
  }

  end(): void {
    this.fail(STATUS.OK, '');
  }

  fail(code: number, message: string): void {
    const block = endBlock(code, message);
    this.#stream.end(this.#answered ? block : Buffer.concat([ANSWER_HEADERS, block]));
  }

  data(chunk: Buffer, from: number, to: number): void {
    if (this.call.over) return;
    try {
      this.#frames.push(chunk, from, to);
    } catch (error) {
      if (!(error instanceof FrameError)) this.#options.fault('message', error);
      this.call.fail(error instanceof FrameError ? error.code : STATUS.INTERNAL, 'no such message');
    }
  }

  halfClosed(): void {
    if (this.#frames.between) this.call.halfClosed();
    else this.call.fail(STATUS.INTERNAL, 'the stream ended within a message');
  }

  closed(): void {
    this.call.closed();
    this.#options.closed(this);
  }

  message(bytes: Buffer): void {
    // What cannot be read throws, and `data` ends the stream.
    if (!this.call.over) this.call.message(decodeRequest(bytes));
  }
}

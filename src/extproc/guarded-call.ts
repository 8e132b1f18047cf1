import { STATUS } from './grpc-status.js';
import type { ProcessingResponse } from './messages.js';
import type { ProcessCall, StreamHandler } from './process-call.js';
import type { ProcessingRequest } from './wire/decode-request.js';

/** The sending half of one stream: all that a transport has to offer. After `end` or `fail` nothing is called any more. */
export interface Channel {
  /** @param taken see `ProcessCall` */
  send(response: ProcessingResponse, taken?: () => void): void;
  /** Ends with status OK, after what was sent. */
  end(): void;
  /** Ends with another status, after what was sent. */
  fail(code: number, message: string): void;
}

/** The rules that keep a failure small, the same over every transport, which tells what happens on its stream. */
export class GuardedCall implements ProcessCall {
  readonly #channel: Channel;
  readonly #fault: (what: string, error: unknown) => void;
  #over = false;
  #handler: StreamHandler | null = null;

  constructor(channel: Channel, fault: (what: string, error: unknown) => void) {
    this.#channel = channel;
    this.#fault = fault;
  }

  /** Nothing is heard or said any more. */
  get over(): boolean {
    return this.#over;
  }

  run(handler: StreamHandler): void {
    this.#handler = handler;
  }

  message(request: ProcessingRequest): void {
    if (this.#over) return;
    try {
      this.#handler?.message(request);
    } catch (error) {
      this.#broken('message', error);
    }
  }

  /** Envoy half-closes when the HTTP exchange is over (graceful close); a stream that has not said its last word ends now. */
  halfClosed(): void {
    if (this.#over) return;
    this.closed();
    this.#channel.end();
  }

  /** The stream is gone. */
  closed(): void {
    if (this.#over) return;
    this.#over = true;
    try {
      this.#handler?.closed();
    } catch (error) {
      this.#fault('closing a stream', error);
    }
  }

  send(response: ProcessingResponse, taken?: () => void): void {
    if (!this.#over) this.#channel.send(response, taken);
  }

  later(what: string, work: () => void): void {
    if (this.#over) return;
    try {
      work();
    } catch (error) {
      this.#broken(what, error);
    }
  }

  /** Never an OK end instead: a clean close without an answer would let the request through. */
  fail(code: number, message: string): void {
    if (this.#over) return;
    this.closed();
    this.#channel.fail(code, message);
  }

  leave(): void {
    if (this.#over) return;
    this.closed();
    this.#channel.end();
  }

  #broken(what: string, error: unknown): void {
    this.#fault(what, error);
    this.fail(STATUS.INTERNAL, 'handler failed');
  }
}

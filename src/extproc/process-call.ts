import { type ServerDuplexStream, status as Status } from '@grpc/grpc-js';
import type { ProcessingRequest, ProcessingResponse } from './messages.js';

export type RawCall = ServerDuplexStream<ProcessingRequest, ProcessingResponse>;

/** What one role does with its stream. Every callback is guarded: an exception ends this stream alone. */
export interface StreamHandler {
  message(request: ProcessingRequest): void;
  /** The stream is over, for whatever reason. Called exactly once. */
  closed(): void;
}

/** One ext_proc stream, with the rules that keep a failure small. */
export class ProcessCall {
  readonly #call: RawCall;
  readonly #fault: (what: string, error: unknown) => void;
  #over = false;
  #handler: StreamHandler | null = null;

  constructor(call: RawCall, fault: (what: string, error: unknown) => void) {
    this.#call = call;
    this.#fault = fault;
  }

  run(handler: StreamHandler): void {
    this.#handler = handler;
    const call = this.#call;
    call.on('data', (message: ProcessingRequest) => this.#guard('message', () => handler.message(message)));
    // Envoy half-closes when the HTTP exchange is over (graceful close): only now may the server end.
    call.on('end', () => {
      this.#close();
      call.end();
    });
    call.on('cancelled', () => this.#close());
    call.on('close', () => this.#close());
    call.on('error', () => this.#close());
  }

  /** Sends one answer; ignored once the stream is over (a late answer would throw inside grpc-js). */
  send(response: ProcessingResponse): void {
    if (!this.#over) this.#call.write(response);
  }

  /** Runs work that belongs to this stream but happens later (after a disk write, on a timer). */
  later(what: string, work: () => void): void {
    this.#guard(what, work);
  }

  /**
   * Ends the stream with an error status. Never `end()` or `destroy()` before Envoy has half-closed:
   * a clean close without an answer would let the request through.
   */
  fail(code: Status, message: string): void {
    if (this.#over) return;
    this.#close();
    this.#call.emit('error', { code, details: message });
  }

  /** Ends the stream well, after the last answer that matters: Envoy goes on without us. */
  leave(): void {
    if (this.#over) return;
    this.#close();
    this.#call.end();
  }

  #close(): void {
    if (this.#over) return;
    this.#over = true;
    try {
      this.#handler?.closed();
    } catch (error) {
      this.#fault('closing a stream', error);
    }
  }

  #guard(what: string, work: () => void): void {
    if (this.#over) return;
    try {
      work();
    } catch (error) {
      this.#fault(what, error);
      this.fail(Status.INTERNAL, 'handler failed');
    }
  }
}

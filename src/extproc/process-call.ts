import type { ProcessingResponse } from './messages.js';
import type { ProcessingRequest } from './wire/decode-request.js';

/** What one role does with its stream. Every callback is guarded: an exception ends this stream alone. */
export interface StreamHandler {
  message(request: ProcessingRequest): void;
  /** The stream is over, for whatever reason. Called exactly once. */
  closed(): void;
}

/** One ext_proc stream as its role sees it, whatever carries it. Nothing here throws, also after the end of the stream. */
export interface ProcessCall {
  /**
   * Sends one answer; ignored once the stream is over. Answers of one turn of the event loop leave together.
   * @param taken called in a later turn, when the kernel has all bytes of this answer and of those before it; never where the
   * stream or its connection ends first, nor by a transport that cannot tell
   */
  send(response: ProcessingResponse, taken?: () => void): void;
  /** Runs work that belongs to this stream but happens later (after a disk write, on a timer). */
  later(what: string, work: () => void): void;
  /** Ends the stream with a gRPC status that is no OK: Envoy follows the filter's failure mode. */
  fail(code: number, message: string): void;
  /** Ends the stream well, after the last answer that matters: Envoy goes on without us. */
  leave(): void;
}

import { AnswerWatch } from './answer-watch.js';
import { attemptIdentity } from './attempt-stream.js';
import type { InFlight } from './in-flight.js';
import type { ProcessingRequest } from './messages.js';
import type { ProcessCall, StreamHandler } from './process-call.js';

/** The `peek` filter's stream: a look at the answer of attempt 1. Attempts after it are looked at by `again`. */
export class PeekStream implements StreamHandler {
  readonly #watch: AnswerWatch;
  readonly #inFlight: InFlight;

  constructor(call: ProcessCall, inFlight: InFlight) {
    this.#watch = new AnswerWatch(call);
    this.#inFlight = inFlight;
  }

  message(request: ProcessingRequest): void {
    if (request.response_headers) {
      const exchange = this.#inFlight.find(attemptIdentity(request).id);
      this.#watch.headers(request.response_headers, exchange?.peek(1) ?? null);
    } else if (request.response_body) this.#watch.body(request.response_body);
  }

  closed(): void {
    this.#watch.closed();
  }
}

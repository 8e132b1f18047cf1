import { AnswerWatch } from './answer-watch.js';
import { attemptIdentity } from './attempt-stream.js';
import type { InFlight } from './in-flight.js';
import type { ProcessCall, StreamHandler } from './process-call.js';
import type { ProcessingRequest } from './wire/decode-request.js';

/** The `peek` filter's stream: a look at the answer of attempt 1. Attempts after it are looked at by `again`. */
export class PeekStream implements StreamHandler {
  readonly #watch: AnswerWatch;
  readonly #inFlight: InFlight;

  constructor(call: ProcessCall, inFlight: InFlight) {
    this.#watch = new AnswerWatch(call);
    this.#inFlight = inFlight;
  }

  message(request: ProcessingRequest): void {
    if (request.phase === 'response_headers') {
      const exchange = this.#inFlight.find(attemptIdentity(request).id);
      this.#watch.headers(request, exchange?.peek(1) ?? null);
    } else if (request.phase === 'response_body') this.#watch.body(request);
  }

  closed(): void {
    this.#watch.closed();
  }
}

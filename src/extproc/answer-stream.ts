import type { Gateway } from '../gateway/gateway.js';
import { attemptIdentity } from './attempt-stream.js';
import { STATUS } from './grpc-status.js';
import type { InFlight } from './in-flight.js';
import type { ProcessCall, StreamHandler } from './process-call.js';
import { GO_ON } from './replies.js';
import { responseOrigin } from './response-origin.js';
import { ResponsePhase } from './response-phase.js';
import type { ProcessingRequest } from './wire/decode-request.js';

/**
 * The `answer` filter's stream: an answer that is translated, from its headers to its last byte. The filter fails closed:
 * whatever ends this stream before the answer is whole cuts the client's. The `request` stream of the same exchange sees
 * nothing of the body then; it still says when everything is over.
 */
export class AnswerStream implements StreamHandler {
  readonly #call: ProcessCall;
  readonly #gateway: Gateway;
  readonly #inFlight: InFlight;
  #phase: ResponsePhase | null = null;

  constructor(call: ProcessCall, gateway: Gateway, inFlight: InFlight) {
    this.#call = call;
    this.#gateway = gateway;
    this.#inFlight = inFlight;
  }

  message(request: ProcessingRequest): void {
    const { phase } = request;
    if (phase === 'response_headers') this.#headers(request);
    else if (!this.#phase) throw new Error('a translated body before its headers');
    else if (phase === 'response_body') this.#phase.body(request);
    else if (phase === 'response_trailers') this.#phase.trailers();
  }

  closed(): void {
    this.#phase?.closed();
  }

  #headers(request: ProcessingRequest): void {
    const exchange = this.#inFlight.find(attemptIdentity(request).id);
    if (!exchange) {
      // Whoever could have translated it is gone; Envoy says so in the client's dialect.
      this.#call.fail(STATUS.UNAVAILABLE, 'nobody here knows this request');
    } else if (exchange.rewrites(request.headers)) {
      this.#phase = new ResponsePhase(this.#call, this.#gateway, exchange);
      this.#phase.headers(request, responseOrigin(request), { passedOn: false });
    } else {
      // The target that answered speaks the client's dialect, or the reply is ours: nothing to guard.
      this.#call.send(GO_ON);
      this.#call.leave();
    }
  }
}

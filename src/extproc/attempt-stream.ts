import { GatewayError } from '../dialects/error.js';
import type { Gateway } from '../gateway/gateway.js';
import type { NextAttempt } from '../gateway/next-attempt.js';
import type { Refuse } from '../gateway/reply.js';
import { AnswerWatch } from './answer-watch.js';
import { STATUS } from './grpc-status.js';
import type { InFlight } from './in-flight.js';
import type { ProcessCall, StreamHandler } from './process-call.js';
import { toAttemptResponse, toResponse } from './replies.js';
import type { ProcessingRequest } from './wire/decode-request.js';

/** Request id and generation that the `request` filter left in metadata for its attempts. */
export function attemptIdentity(request: ProcessingRequest): { readonly id: string; readonly generation: string } {
  const metadata = request.metadata();
  return { id: metadata.text('rid') ?? '', generation: metadata.text('generation') ?? '' };
}

/** The `again` filter's stream: attempt 2 and later, written anew from the original request, then looked at. */
export class AttemptStream implements StreamHandler {
  readonly #call: ProcessCall;
  readonly #gateway: Gateway;
  readonly #inFlight: InFlight;
  readonly #watch: AnswerWatch;
  #id = '';
  #number = 0;

  constructor(call: ProcessCall, gateway: Gateway, inFlight: InFlight) {
    this.#call = call;
    this.#gateway = gateway;
    this.#inFlight = inFlight;
    this.#watch = new AnswerWatch(call);
  }

  message(request: ProcessingRequest): void {
    const { phase } = request;
    if (phase === 'request_headers') this.#requestHeaders(request);
    else if (phase === 'response_headers') {
      this.#watch.headers(request, this.#inFlight.find(this.#id)?.peek(this.#number) ?? null);
    } else if (phase === 'response_body') this.#watch.body(request);
  }

  closed(): void {
    this.#watch.closed();
  }

  #requestHeaders(request: ProcessingRequest): void {
    this.#id = attemptIdentity(request).id;
    // The header is what the filter's own matcher reads, so both agree on which attempt this is.
    this.#number = Number(request.headers.get('x-envoy-attempt-count') ?? 0);
    const cluster = request.attributes().text('xds.cluster_name') ?? '';
    const exchange = this.#inFlight.find(this.#id);
    if (!exchange) this.#refuse(this.#unknown());
    else exchange.attempt(this.#number, cluster, (next) => this.#call.later('attempt', () => this.#answer(next)));
  }

  #answer(next: NextAttempt | null): void {
    if (next === null) this.#refuse(this.#unknown());
    else if ('refusal' in next) this.#refuse(next.refusal);
    // A pause between two tries at one target; none on the way to another one.
    else if (next.waitMs === 0) this.#call.send(toAttemptResponse(next.reply));
    else
      setTimeout(() => this.#call.later('attempt', () => this.#call.send(toAttemptResponse(next.reply))), next.waitMs);
  }

  /** Nobody here knows this request: without the original body the attempt would carry another target's. */
  #unknown(): Refuse {
    const error = new GatewayError('gateway_unavailable', 'The gateway lost track of this request. Try again.');
    return this.#gateway.refusal(error, this.#id);
  }

  #refuse(refusal: Refuse): void {
    const { generation } = this.#gateway;
    this.#call.send(toResponse('request_headers', refusal, { id: this.#id, generation, requestBody: 'whole' }));
  }
}

export const UNKNOWN_ROLE = { code: STATUS.INVALID_ARGUMENT, message: 'unknown role in gRPC metadata' } as const;

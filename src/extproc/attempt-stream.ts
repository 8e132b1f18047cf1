import { status as Status } from '@grpc/grpc-js';
import { GatewayError } from '../dialects/error.js';
import type { Gateway } from '../gateway/gateway.js';
import type { Refuse } from '../gateway/reply.js';
import { AnswerWatch } from './answer-watch.js';
import { headerView } from './header-view.js';
import type { InFlight } from './in-flight.js';
import type { ProcessingRequest } from './messages.js';
import type { ProcessCall, StreamHandler } from './process-call.js';
import { METADATA_NAMESPACE, toAttemptResponse, toResponse } from './replies.js';
import { stringField } from './struct.js';

const ATTRIBUTES = 'envoy.filters.http.ext_proc';

/** Request id and generation that the `request` filter left in metadata for its attempts. */
export function attemptIdentity(request: ProcessingRequest): { readonly id: string; readonly generation: string } {
  const metadata = request.metadata_context?.filter_metadata?.[METADATA_NAMESPACE];
  return { id: stringField(metadata, 'rid') ?? '', generation: stringField(metadata, 'generation') ?? '' };
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
    if (request.request_headers) this.#requestHeaders(request);
    else if (request.response_headers) {
      this.#watch.headers(request.response_headers, this.#inFlight.find(this.#id)?.peek(this.#number) ?? null);
    } else if (request.response_body) this.#watch.body(request.response_body);
  }

  closed(): void {
    this.#watch.closed();
  }

  #requestHeaders(request: ProcessingRequest): void {
    const attributes = request.attributes?.[ATTRIBUTES];
    this.#id = attemptIdentity(request).id;
    // The header is what the filter's own matcher reads, so both agree on which attempt this is.
    this.#number = Number(headerView(request.request_headers ?? {}).get('x-envoy-attempt-count') ?? 0);
    const cluster = stringField(attributes, 'xds.cluster_name') ?? '';
    const next = this.#inFlight.find(this.#id)?.attempt(this.#number, cluster) ?? { refusal: this.#unknown() };
    if ('refusal' in next) this.#refuse(next.refusal);
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

export const UNKNOWN_ROLE = { code: Status.INVALID_ARGUMENT, message: 'unknown role in gRPC metadata' } as const;

import { status as Status } from '@grpc/grpc-js';
import { GatewayError } from '../dialects/error.js';
import type { Gateway } from '../gateway/gateway.js';
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

/** The `again` filter's stream: attempt 2 and later, written anew from the original request. */
export class AttemptStream implements StreamHandler {
  readonly #call: ProcessCall;
  readonly #gateway: Gateway;
  readonly #inFlight: InFlight;
  #id = '';
  #number = 0;

  constructor(call: ProcessCall, gateway: Gateway, inFlight: InFlight) {
    this.#call = call;
    this.#gateway = gateway;
    this.#inFlight = inFlight;
  }

  message(request: ProcessingRequest): void {
    if (request.request_headers) this.#requestHeaders(request);
    else if (request.response_headers) {
      const status = Number(headerView(request.response_headers).get(':status'));
      this.#inFlight.find(this.#id)?.attemptAnswered(this.#number, status);
      this.#call.send({ response_headers: { response: {} } });
    }
  }

  closed(): void {}

  #requestHeaders(request: ProcessingRequest): void {
    const attributes = request.attributes?.[ATTRIBUTES];
    this.#id = attemptIdentity(request).id;
    // The header is what the filter's own matcher reads, so both agree on which attempt this is.
    const headers = headerView(request.request_headers ?? {});
    this.#number = Number(headers.get('x-envoy-attempt-count') ?? 0);
    const exchange = this.#inFlight.find(this.#id);
    const cluster = stringField(attributes, 'xds.cluster_name') ?? '';
    const reply = exchange?.attempt(this.#number, cluster) ?? null;
    if (reply === null) {
      // Nobody here knows this request: without the original body the attempt would carry another target's.
      const unknown = new GatewayError('gateway_unavailable', 'The gateway lost track of this request. Try again.');
      const refusal = this.#gateway.refusal(unknown, this.#id);
      this.#call.send(toResponse('request_headers', refusal, { id: this.#id, generation: this.#gateway.generation }));
      return;
    }
    // A pause between two tries at one target; none on the way to another one.
    if (reply.waitMs === 0) this.#call.send(toAttemptResponse(reply.reply));
    else
      setTimeout(
        () => this.#call.later('attempt', () => this.#call.send(toAttemptResponse(reply.reply))),
        reply.waitMs,
      );
  }
}

export const UNKNOWN_ROLE = { code: Status.INVALID_ARGUMENT, message: 'unknown role in gRPC metadata' } as const;

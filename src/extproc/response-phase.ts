import type { Exchange } from '../gateway/exchange.js';
import type { Gateway } from '../gateway/gateway.js';
import { headerView } from './header-view.js';
import type { HttpBody, HttpHeaders, ProcessingRequest } from './messages.js';
import type { ProcessCall } from './process-call.js';
import { RESPONSE_TRAILERS, type ReplyIdentity, toBodyResponse, toChunkResponse, toResponse } from './replies.js';
import { responseOrigin } from './response-origin.js';

/** The answer of one exchange, on the stream that sees its bytes. */
export class ResponsePhase {
  readonly #call: ProcessCall;
  readonly #gateway: Gateway;
  readonly #exchange: Exchange;
  readonly #identity: ReplyIdentity;

  constructor(call: ProcessCall, gateway: Gateway, exchange: Exchange) {
    this.#call = call;
    this.#gateway = gateway;
    this.#exchange = exchange;
    this.#identity = { id: exchange.id, generation: gateway.generation, requestBody: exchange.requestBodyMode };
  }

  /** @param passedOn see `ReplyIdentity` */
  headers(request: ProcessingRequest, message: HttpHeaders, { passedOn }: { readonly passedOn: boolean }): void {
    const exchange = this.#exchange;
    const last = message.end_of_stream === true;
    const reply = exchange.responseHeaders(headerView(message), responseOrigin(request), last);
    this.#call.send(toResponse('response_headers', reply, { ...this.#identity, passedOn }));
    if (exchange.stallMs > 0) this.#gateway.stalls.add(exchange, () => this.#cut());
  }

  body(message: HttpBody): void {
    const exchange = this.#exchange;
    const chunk = message.body ?? Buffer.alloc(0);
    const last = message.end_of_stream === true;
    if (exchange.buffered) {
      this.#call.send(toBodyResponse(exchange.responseBuffer(chunk)));
      return;
    }
    // Exactly one answer per chunk, in order; an undecided chunk is answered later and stays with Envoy until then.
    for (const change of exchange.responseChunk(chunk, last)) this.#call.send(toChunkResponse(change));
    if (exchange.pendingChunks === 0) this.#gateway.deadlines.remove(exchange);
    else this.#gateway.deadlines.add(exchange, () => this.#call.later('releasing chunks', () => this.#release()));
  }

  trailers(): void {
    for (const change of this.#exchange.responseTrailers()) this.#call.send(toChunkResponse(change));
    this.#call.send(RESPONSE_TRAILERS);
  }

  closed(): void {
    this.#gateway.deadlines.remove(this.#exchange);
    this.#gateway.stalls.remove(this.#exchange);
  }

  #release(): void {
    for (const change of this.#exchange.releaseChunks()) this.#call.send(toChunkResponse(change));
  }

  /** An error status would fail open and let the stream hang on; an unasked answer ends it. */
  #cut(): void {
    this.#call.later('cutting a stalled stream', () => {
      this.#call.send(toResponse('response_headers', this.#exchange.stalled(), this.#identity));
    });
  }
}

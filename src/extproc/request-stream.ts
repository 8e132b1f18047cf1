import type { Exchange } from '../gateway/exchange.js';
import type { Gateway } from '../gateway/gateway.js';
import type { Reply } from '../gateway/reply.js';
import { headerView } from './header-view.js';
import type { InFlight } from './in-flight.js';
import type { HttpBody, HttpHeaders, ProcessingRequest } from './messages.js';
import type { ProcessCall, StreamHandler } from './process-call.js';
import { REQUEST_TRAILERS, RESPONSE_TRAILERS, toBodyResponse, toChunkResponse, toResponse } from './replies.js';
import { responseOrigin } from './response-origin.js';

/** The `request` filter's stream: one HTTP exchange from its first header to its last byte. */
export class RequestStream implements StreamHandler {
  readonly #call: ProcessCall;
  readonly #gateway: Gateway;
  readonly #inFlight: InFlight;
  #exchange: Exchange | null = null;

  constructor(call: ProcessCall, gateway: Gateway, inFlight: InFlight) {
    this.#call = call;
    this.#gateway = gateway;
    this.#inFlight = inFlight;
  }

  message(request: ProcessingRequest): void {
    // The order is the frequency: chunks of streams first.
    if (request.response_body) this.#responseBody(request.response_body);
    else if (request.request_headers) this.#requestHeaders(request.request_headers);
    else if (request.request_body) this.#requestBody(request.request_body);
    else if (request.response_headers) this.#responseHeaders(request, request.response_headers);
    else if (request.response_trailers) this.#responseTrailers();
    else if (request.request_trailers) this.#call.send(REQUEST_TRAILERS);
  }

  closed(): void {
    const exchange = this.#exchange;
    if (!exchange) return;
    this.#inFlight.remove(exchange.id, exchange);
    this.#gateway.deadlines.remove(exchange);
    this.#gateway.stalls.remove(exchange);
    exchange.closed();
  }

  #requestHeaders(message: HttpHeaders): void {
    const exchange = this.#gateway.open(headerView(message));
    this.#exchange = exchange;
    exchange.requestHeaders(message.end_of_stream === true, (reply) =>
      this.#call.later('request headers', () => {
        if (reply.kind === 'continue' && reply.pass !== null) this.#inFlight.add(exchange.id, exchange);
        this.#reply('request_headers', reply);
      }),
    );
  }

  #requestBody(message: HttpBody): void {
    const exchange = this.#exchange;
    // A local reply (413) reaches the response phase without a request body, never the other way round.
    if (!exchange) throw new Error('request body before request headers');
    // BUFFERED: this one message is the whole body, also when trailers follow and end_of_stream is false.
    exchange.requestBody(message.body ?? Buffer.alloc(0), (reply) =>
      this.#call.later('request body', () => {
        if (reply.kind === 'continue') this.#inFlight.add(exchange.id, exchange);
        this.#reply('request_body', reply);
      }),
    );
  }

  #responseHeaders(request: ProcessingRequest, message: HttpHeaders): void {
    // Envoy refused before asking us (a header too large, a bad path): nothing of ours to say.
    if (!this.#exchange) this.#exchange = this.#gateway.openLocalReply();
    const exchange = this.#exchange;
    const reply = exchange.responseHeaders(
      headerView(message),
      responseOrigin(request),
      message.end_of_stream === true,
    );
    this.#reply('response_headers', reply);
    if (exchange.stallMs > 0) this.#gateway.stalls.add(exchange, () => this.#cut(exchange));
  }

  #responseBody(message: HttpBody): void {
    const exchange = this.#exchange;
    if (!exchange) throw new Error('response body before response headers');
    const chunk = message.body ?? Buffer.alloc(0);
    const last = message.end_of_stream === true;
    if (exchange.buffered) {
      this.#call.send(toBodyResponse(exchange.responseBuffer(chunk)));
      return;
    }
    // Exactly one answer per chunk, in order; an undecided chunk is answered later and stays with Envoy until then.
    for (const change of exchange.responseChunk(chunk, last)) this.#call.send(toChunkResponse(change));
    if (exchange.pendingChunks === 0) this.#gateway.deadlines.remove(exchange);
    else
      this.#gateway.deadlines.add(exchange, () => this.#call.later('releasing chunks', () => this.#release(exchange)));
  }

  #release(exchange: Exchange): void {
    for (const change of exchange.releaseChunks()) this.#call.send(toChunkResponse(change));
  }

  /** An error status would fail open and let the stream hang on; an unasked answer ends it. */
  #cut(exchange: Exchange): void {
    this.#call.later('cutting a stalled stream', () => {
      const identity = { id: exchange.id, generation: this.#gateway.generation };
      this.#call.send(toResponse('response_headers', exchange.stalled(), identity));
    });
  }

  #responseTrailers(): void {
    const exchange = this.#exchange;
    if (exchange) {
      for (const change of exchange.responseTrailers()) this.#call.send(toChunkResponse(change));
    }
    this.#call.send(RESPONSE_TRAILERS);
  }

  #reply(phase: 'request_headers' | 'request_body' | 'response_headers', reply: Reply): void {
    const exchange = this.#exchange;
    if (!exchange) return;
    this.#call.send(toResponse(phase, reply, { id: exchange.id, generation: this.#gateway.generation }));
  }
}

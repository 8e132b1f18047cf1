import type { Exchange } from '../gateway/exchange.js';
import type { Gateway } from '../gateway/gateway.js';
import type { Reply } from '../gateway/reply.js';
import { headerView } from './header-view.js';
import type { InFlight } from './in-flight.js';
import type { HttpBody, HttpHeaders, ProcessingRequest } from './messages.js';
import type { ProcessCall, StreamHandler } from './process-call.js';
import { goOnUnseen, REQUEST_TRAILERS, RESPONSE_TRAILERS, toResponse } from './replies.js';
import { responseOrigin } from './response-origin.js';
import { ResponsePhase } from './response-phase.js';

/** The `request` filter's stream: one HTTP exchange from its first header to its last byte. */
export class RequestStream implements StreamHandler {
  readonly #call: ProcessCall;
  readonly #gateway: Gateway;
  readonly #inFlight: InFlight;
  #exchange: Exchange | null = null;
  #response: ResponsePhase | null = null;

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
    this.#response?.closed();
    exchange.closed();
  }

  #requestHeaders(message: HttpHeaders): void {
    const exchange = this.#gateway.open(headerView(message));
    this.#exchange = exchange;
    exchange.requestHeaders(message.end_of_stream === true, (reply) =>
      this.#call.later('request headers', () => this.#reply('request_headers', exchange, reply)),
    );
  }

  #requestBody(message: HttpBody): void {
    const exchange = this.#exchange;
    // A local reply (413) reaches the response phase without a request body, never the other way round.
    if (!exchange) throw new Error('request body before request headers');
    // BUFFERED: this one message is the whole body, also when trailers follow and end_of_stream is false.
    exchange.requestBody(message.body ?? Buffer.alloc(0), (reply) =>
      this.#call.later('request body', () => this.#reply('request_body', exchange, reply)),
    );
  }

  #responseHeaders(request: ProcessingRequest, message: HttpHeaders): void {
    // Envoy refused before asking us (a header too large, a bad path): nothing of ours to say.
    this.#exchange ??= this.#gateway.openLocalReply();
    const exchange = this.#exchange;
    if (responseOrigin(request).upstream && exchange.rewrites(headerView(message))) {
      // The `answer` filter asks next, and fails closed where this one would let raw bytes through.
      this.#call.send(goOnUnseen(exchange.requestBodyMode));
      return;
    }
    this.#response = new ResponsePhase(this.#call, this.#gateway, exchange);
    this.#response.headers(request, message, { passedOn: exchange.mayTranslate });
  }

  #responseBody(message: HttpBody): void {
    if (!this.#response) throw new Error('response body before response headers');
    this.#response.body(message);
  }

  #responseTrailers(): void {
    if (this.#response) this.#response.trailers();
    else this.#call.send(RESPONSE_TRAILERS);
  }

  #reply(phase: 'request_headers' | 'request_body', exchange: Exchange, reply: Reply): void {
    if (reply.kind === 'continue' && reply.pass !== null) this.#inFlight.add(exchange.id, exchange);
    const { generation } = this.#gateway;
    this.#call.send(toResponse(phase, reply, { id: exchange.id, generation, requestBody: exchange.requestBodyMode }));
  }
}

import type { Exchange } from '../gateway/exchange.js';
import type { Gateway } from '../gateway/gateway.js';
import type { Reply } from '../gateway/reply.js';
import type { InFlight } from './in-flight.js';
import { LONE_ROUTE } from './messages.js';
import type { ProcessCall, StreamHandler } from './process-call.js';
import { goOnUnseen, REQUEST_TRAILERS, RESPONSE_TRAILERS, toResponse } from './replies.js';
import { responseOrigin } from './response-origin.js';
import { ResponsePhase } from './response-phase.js';
import type { ProcessingRequest } from './wire/decode-request.js';

/** The `request` filter's stream: one HTTP exchange from its first header to its last byte. */
export class RequestStream implements StreamHandler {
  readonly #call: ProcessCall;
  readonly #gateway: Gateway;
  readonly #inFlight: InFlight;
  readonly #knowsLone: boolean;
  #exchange: Exchange | null = null;
  #response: ResponsePhase | null = null;

  /** @param routes what Envoy says that it has: `LONE_ROUTE`, or nothing with an older bootstrap */
  constructor(call: ProcessCall, gateway: Gateway, inFlight: InFlight, routes?: string) {
    this.#call = call;
    this.#gateway = gateway;
    this.#inFlight = inFlight;
    this.#knowsLone = routes === LONE_ROUTE;
  }

  message(request: ProcessingRequest): void {
    const { phase } = request;
    // The order is the frequency: chunks of streams first.
    if (phase === 'response_body') this.#responseBody(request);
    else if (phase === 'request_headers') this.#requestHeaders(request);
    else if (phase === 'request_body') this.#requestBody(request);
    else if (phase === 'response_headers') this.#responseHeaders(request);
    else if (phase === 'response_trailers') this.#responseTrailers();
    else if (phase === 'request_trailers') this.#call.send(REQUEST_TRAILERS);
  }

  closed(): void {
    const exchange = this.#exchange;
    if (!exchange) return;
    this.#inFlight.remove(exchange.id, exchange);
    this.#response?.closed();
    exchange.closed();
  }

  #requestHeaders(request: ProcessingRequest): void {
    const exchange = this.#gateway.open(request.headers);
    this.#exchange = exchange;
    exchange.requestHeaders(request.last, (reply) => this.#decided('request_headers', exchange, reply));
  }

  #requestBody(request: ProcessingRequest): void {
    const exchange = this.#exchange;
    // A local reply (413) reaches the response phase without a request body, never the other way round.
    if (!exchange) throw new Error('request body before request headers');
    // BUFFERED: this one message is the whole body, also when trailers follow and end_of_stream is false.
    exchange.requestBody(request.body, (reply) => this.#decided('request_body', exchange, reply));
  }

  #responseHeaders(request: ProcessingRequest): void {
    // Envoy refused before asking us (a header too large, a bad path): nothing of ours to say.
    this.#exchange ??= this.#gateway.openLocalReply();
    const exchange = this.#exchange;
    const origin = responseOrigin(request);
    if (origin.upstream && exchange.rewrites(request.headers)) {
      // The `answer` filter asks next, and fails closed where this one would let raw bytes through.
      this.#call.send(goOnUnseen(exchange.requestBodyMode));
      return;
    }
    this.#response = new ResponsePhase(this.#call, this.#gateway, exchange);
    this.#response.headers(request, origin, { passedOn: exchange.mayTranslate });
  }

  #responseBody(request: ProcessingRequest): void {
    if (!this.#response) throw new Error('response body before response headers');
    this.#response.body(request);
  }

  #responseTrailers(): void {
    if (this.#response) this.#response.trailers();
    else this.#call.send(RESPONSE_TRAILERS);
  }

  #decided(phase: 'request_headers' | 'request_body', exchange: Exchange, reply: Reply): void {
    // Said after a disk write, too: then nobody above would take an exception.
    this.#call.later(phase, () => {
      if (reply.kind === 'continue' && reply.pass !== null) this.#inFlight.add(exchange.id, exchange);
      const { generation } = this.#gateway;
      const { id, requestBodyMode: requestBody } = exchange;
      const identity = { id, generation, requestBody, knowsLone: this.#knowsLone };
      this.#call.send(toResponse(phase, reply, identity), exchange.whenTaken(reply));
      // Envoy has all that it needs, and tells nothing more.
      if (reply.kind === 'refuse') this.#call.leave();
    });
  }
}

import type { Exchange } from '../gateway/exchange.js';
import type { Gateway } from '../gateway/gateway.js';
import type { ResponseOrigin } from '../gateway/origin.js';
import type { Watched } from '../gateway/stalls.js';
import type { ProcessCall } from './process-call.js';
import { RESPONSE_TRAILERS, type ReplyIdentity, toBodyResponse, toChunkResponse, toResponse } from './replies.js';
import type { ProcessingRequest } from './wire/decode-request.js';

/**
 * The answer of one exchange, on the stream that sees its bytes. Where nothing can follow, the stream ends together with the last
 * word: waiting for Envoy to half-close would wake both sides once more.
 */
export class ResponsePhase implements Watched {
  stallPlace = -1;
  readonly #call: ProcessCall;
  readonly #gateway: Gateway;
  readonly #exchange: Exchange;
  /** Some chunk waits for its answer. */
  #waits = false;

  constructor(call: ProcessCall, gateway: Gateway, exchange: Exchange) {
    this.#call = call;
    this.#gateway = gateway;
    this.#exchange = exchange;
  }

  get lastByteAt(): number {
    return this.#exchange.lastByteAt;
  }

  get stallMs(): number {
    return this.#exchange.stallMs;
  }

  /** @param passedOn see `ReplyIdentity` */
  headers(request: ProcessingRequest, origin: ResponseOrigin, { passedOn }: { readonly passedOn: boolean }): void {
    const exchange = this.#exchange;
    const reply = exchange.responseHeaders(request.headers, origin, request.last);
    this.#call.send(toResponse('response_headers', reply, this.#identity(passedOn)));
    if (request.last || reply.kind === 'refuse') this.#call.leave();
    else if (exchange.stallMs > 0) this.#gateway.stalls.add(this);
  }

  body({ body: chunk, last }: ProcessingRequest): void {
    const exchange = this.#exchange;
    if (exchange.buffered) {
      exchange.responseBuffer(chunk, (change) => {
        this.#call.later('a whole answer', () => {
          this.#call.send(toBodyResponse(change));
          if (last) this.#call.leave();
        });
      });
      return;
    }
    // Exactly one answer per chunk, in order; an undecided chunk is answered later and stays with Envoy until then.
    this.#answer(exchange.responseChunk(chunk, last));
    if (last) this.#call.leave();
    else if (this.#waits || exchange.pendingChunks > 0) this.#watch();
  }

  trailers(): void {
    this.#answer(this.#exchange.responseTrailers());
    this.#call.send(RESPONSE_TRAILERS);
    this.#call.leave();
  }

  closed(): void {
    if (this.#waits) this.#gateway.deadlines.remove(this.#exchange);
    this.#gateway.stalls.remove(this);
  }

  #identity(passedOn: boolean): ReplyIdentity {
    const { id, requestBodyMode: requestBody } = this.#exchange;
    const { generation } = this.#gateway;
    return passedOn ? { id, generation, requestBody, passedOn } : { id, generation, requestBody };
  }

  /** What waits is released in time. */
  #watch(): void {
    const { deadlines } = this.#gateway;
    this.#waits = this.#exchange.pendingChunks > 0;
    if (!this.#waits) deadlines.remove(this.#exchange);
    else deadlines.add(this.#exchange, () => this.#call.later('releasing chunks', () => this.#release()));
  }

  #release(): void {
    this.#answer(this.#exchange.releaseChunks());
  }

  #answer(changes: readonly (Buffer | null)[]): void {
    for (let at = 0; at < changes.length; at += 1) this.#call.send(toChunkResponse(changes[at] ?? null));
  }

  /** An error status would fail open and let the stream hang on; an unasked answer ends it. */
  cutOff(): void {
    this.#call.later('cutting a stalled stream', () => {
      this.#call.send(toResponse('response_headers', this.#exchange.stalled(), this.#identity(false)));
    });
  }
}

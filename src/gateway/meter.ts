import { type ContentDecoder, createContentDecoder } from '../codec/content-encoding.js';
import type { Endpoint } from '../dialects/endpoint.js';
import { createResponseReader } from '../dialects/readers.js';
import type { ResponseFacts, ResponseReader } from '../dialects/response-reader.js';

/** Reads an answer as it passes, decoding it first where the provider compressed it although nobody asked. */
export class Meter {
  readonly #reader: ResponseReader;
  readonly #decoder: ContentDecoder | null;
  #ended = false;

  /** Chooses the reader once, from what the response says it is. */
  constructor(endpoint: Endpoint, contentType: string, contentEncoding: string) {
    const stream = isEventStream(contentType);
    const reader = createResponseReader(endpoint.wire, { stream, contentType });
    this.#reader = reader;
    this.#decoder =
      contentEncoding === '' ? null : createContentDecoder(contentEncoding, (piece) => reader.push(piece));
  }

  get facts(): Readonly<ResponseFacts> {
    return this.#reader.facts;
  }

  push(chunk: Buffer): void {
    if (this.#decoder) this.#decoder.push(chunk);
    else this.#reader.push(chunk);
  }

  /** Calls back when the facts are final: at once for plain bytes, later where a decoder still works. */
  finish(done: () => void): void {
    const end = (): void => {
      if (!this.#ended) this.#reader.end();
      this.#ended = true;
      done();
    };
    if (this.#decoder) void this.#decoder.finish().then(end);
    else end();
  }
}

export function isEventStream(contentType: string): boolean {
  return /^text\/event-stream/i.test(contentType);
}

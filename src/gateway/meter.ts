import { type ContentDecoder, createContentDecoder } from '../codec/content-encoding.js';
import type { Wire } from '../dialects/endpoint.js';
import { type AnswerForm, createResponseReader } from '../dialects/readers.js';
import { NO_SPAN, type ResponseFacts, type ResponseReader, type Span } from '../dialects/response-reader.js';

/** Reads an answer as it passes, decoding it first where the provider compressed it although nobody asked. */
export class Meter {
  readonly #reader: ResponseReader;
  readonly #decoder: ContentDecoder | null;
  #ended = false;

  /** Chooses the reader once, from what the response says it is. */
  constructor(form: AnswerForm & { readonly wire: Wire }, contentEncoding: string) {
    const reader = createResponseReader(form.wire, form);
    this.#reader = reader;
    this.#decoder =
      contentEncoding === '' ? null : createContentDecoder(contentEncoding, (piece) => reader.push(piece));
  }

  get facts(): Readonly<ResponseFacts> {
    return this.#reader.facts;
  }

  /** @returns see `ResponseReader`; nothing is known of compressed bytes */
  push(chunk: Buffer): Readonly<Span> {
    if (!this.#decoder) return this.#reader.push(chunk);
    this.#decoder.push(chunk);
    return NO_SPAN;
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

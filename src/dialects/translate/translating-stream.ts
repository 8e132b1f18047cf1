import type { AnswerFold } from '../answer-fold.js';
import type { Framing } from '../event-decoder.js';
import { EventReader } from '../event-reader.js';
import type { ResponseFacts } from '../response-reader.js';
import type { ClientFraming } from './client-framing.js';
import type { StreamError, StreamTranslator } from './translation.js';

const NOTHING = Buffer.alloc(0);
const INCOMPLETE: StreamError = {
  message: 'The provider ended the stream before it was complete.',
  code: 'provider_error',
  status: 502,
};
/** What providers call "too much": the client's own retry logic should see it as such. */
const LIMITED = /rate_?limit|thrott|quota|resource_?exhausted|too_?many|^429$/i;
const OVERLOADED = /overload|unavailable|^503$|^529$/i;

export interface TranslatingStreamParts {
  readonly framing: Framing;
  /** Of the provider's wire: usage, errors and the end are read from the provider's own events. */
  readonly fold: AnswerFold;
  readonly translator: StreamTranslator;
  readonly client: ClientFraming;
}

/**
 * A stream in the provider's dialect becomes one in the client's. Each event is parsed once: first metered, then translated.
 * After an error nothing follows but the client's own error event.
 */
export class TranslatingStream {
  readonly #reader: EventReader;
  readonly #translator: StreamTranslator;
  readonly #client: ClientFraming;
  /** An error was told: nothing more may be written. */
  #dead = false;

  constructor({ framing, fold, translator, client }: TranslatingStreamParts) {
    this.#translator = translator;
    this.#client = client;
    this.#reader = new EventReader(framing, fold, {
      event: (type, data) => translator.event(type, data, client),
      done: () => translator.done(client),
    });
  }

  get facts(): Readonly<ResponseFacts> {
    return this.#reader.facts;
  }

  /** The client's bytes for a piece of the provider's; maybe none. */
  push(chunk: Buffer): Buffer {
    this.#reader.push(chunk);
    this.#tellError();
    return this.#taken();
  }

  /** The provider's stream ended by itself: the last bytes, an error event among them when it was not complete. */
  end(): Buffer {
    const whole = this.#reader.end();
    this.#tellError();
    // A cut stream must not reach the translator's end, which writes the client's.
    if (!this.#dead && !(whole && this.#translator.end(this.#client))) this.#fail(INCOMPLETE);
    this.#client.close();
    return this.#taken();
  }

  /** True when the client was told of an error. */
  get failed(): boolean {
    return this.#dead;
  }

  #tellError(): void {
    const { error, errorCode = null } = this.#reader.facts;
    if (error === null || this.#dead) return;
    this.#fail(streamError(error, this.#reader.streamFault?.code ?? errorCode));
  }

  #fail(error: StreamError): void {
    this.#dead = true;
    this.#translator.fail(error, this.#client);
  }

  #taken(): Buffer {
    const text = this.#client.take();
    return text === '' ? NOTHING : Buffer.from(text);
  }
}

function streamError(message: string, code: string | null): StreamError {
  if (code !== null && LIMITED.test(code)) return { message, code: 'provider_rate_limited', status: 429 };
  return { message, code: 'provider_error', status: code !== null && OVERLOADED.test(code) ? 503 : 502 };
}

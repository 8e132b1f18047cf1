import type { ResponseFacts } from '../dialects/response-reader.js';
import type { TranslatingStream } from '../dialects/translate/translating-stream.js';
import type { AnswerPipe } from './answer-pipe.js';

const NOTHING: readonly null[] = [];

/** A stream in another dialect than the client's: every piece is answered with what it says in the client's. */
export class TranslatingPipe implements AnswerPipe {
  readonly pending = 0;
  truncated = false;
  readonly #stream: TranslatingStream;
  #ended = false;

  constructor(stream: TranslatingStream) {
    this.#stream = stream;
  }

  get facts(): Readonly<ResponseFacts> {
    return this.#stream.facts;
  }

  push(chunk: Buffer, last: boolean): readonly (Buffer | null)[] {
    const bytes = this.#stream.push(chunk);
    if (!last) return [bytes];
    const rest = this.#end();
    return [rest.length === 0 ? bytes : Buffer.concat([bytes, rest])];
  }

  release(): readonly (Buffer | null)[] {
    return NOTHING;
  }

  trailers(): readonly (Buffer | null)[] {
    this.#end();
    return NOTHING;
  }

  finish(done: () => void): void {
    done();
  }

  #end(): Buffer {
    if (this.#ended) return Buffer.alloc(0);
    this.#ended = true;
    const bytes = this.#stream.end();
    this.truncated = this.#stream.failed && this.#stream.facts.error === null;
    return bytes;
  }
}

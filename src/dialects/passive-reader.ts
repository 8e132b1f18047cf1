import { emptyFacts, NO_SPAN, type ResponseFacts, type ResponseReader, type Span } from './response-reader.js';

/** For answers with nothing to read: sound, subtitles, plain text. Whether they are whole only HTTP knows. */
export class PassiveReader implements ResponseReader {
  readonly facts: ResponseFacts = emptyFacts();
  readonly #text: boolean;

  /** @param text the bytes are themselves the content (a transcript), not sound */
  constructor(text: boolean) {
    this.#text = text;
  }

  push(chunk: Buffer): Readonly<Span> {
    this.facts.content ||= chunk.length > 0;
    if (this.#text) this.facts.contentBytes += chunk.length;
    return NO_SPAN;
  }

  end(): void {
    this.facts.terminal = true;
  }
}

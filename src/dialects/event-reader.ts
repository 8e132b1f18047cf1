import { type AnswerFold, setError } from './answer-fold.js';
import type { EventDecoder, EventHandler, Framing, StreamFault } from './event-decoder.js';
import { createEventDecoder } from './event-decoders.js';
import type { JsonObject } from './json-value.js';
import { emptyFacts, NO_SPAN, type ResponseFacts, type ResponseReader, type Span } from './response-reader.js';

/** Who else wants to see the events of a stream. Told after the facts know an event, and never again once they hold an error. */
export interface EventTap {
  event(type: string, data: JsonObject): void;
  /** `data: [DONE]` */
  done(): void;
}

/** Reads a stream in any framing, each event parsed once for its fold and a tap. */
export class EventReader implements ResponseReader, EventHandler {
  readonly facts: ResponseFacts = emptyFacts();
  readonly #fold: AnswerFold;
  readonly #tap: EventTap | null;
  readonly #decoder: EventDecoder;
  #fault: StreamFault | null = null;
  #done = false;

  constructor(framing: Framing, fold: AnswerFold, tap: EventTap | null = null) {
    this.#fold = fold;
    this.#tap = tap;
    this.#decoder = createEventDecoder(framing, this);
  }

  /** The first fault that the framing told; errors that a fold found are only in the facts. */
  get streamFault(): StreamFault | null {
    return this.#fault;
  }

  push(chunk: Buffer): Readonly<Span> {
    this.#decoder.push(chunk);
    return NO_SPAN;
  }

  /** False when the last event was cut off. */
  end(): boolean {
    return this.#decoder.end();
  }

  event(type: string, data: JsonObject): void {
    if (this.#fold.reads(type)) {
      const before = this.facts.contentBytes;
      this.#fold.event(data, this.facts, type);
      if (this.facts.contentBytes > before) this.facts.contentEvents += 1;
      this.facts.terminal ||= this.#done;
    }
    if (this.facts.error === null) this.#tap?.event(type, data);
  }

  done(): void {
    this.#done ||= this.#fold.doneEnds;
    this.facts.terminal ||= this.#done;
    if (this.facts.error === null) this.#tap?.done();
  }

  fault(fault: StreamFault): void {
    this.#fault ??= fault;
    if (this.facts.error === null) this.facts.errorCode = fault.code;
    setError(fault.message === '' ? (fault.code ?? '') : fault.message, this.facts);
  }

  skipped(): void {
    this.facts.skipped = true;
  }
}

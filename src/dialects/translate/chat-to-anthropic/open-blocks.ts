import { type JsonObject, objectIn, stringIn } from '../../json-value.js';
import { REASONING, THINKING_BLOCKS } from '../hub.js';
import type { EventSink } from '../translation.js';
import { annotation } from './annotation.js';
import type { ChunkWriter } from './chunk-writer.js';

/** A content block of a running stream. */
export interface OpenBlock {
  delta(delta: JsonObject, out: EventSink): void;
  /** Called once. */
  close(out: EventSink): void;
}

/** Blocks of tools that the provider runs itself. */
export const IGNORED: OpenBlock = { delta() {}, close() {} };

/** Where text goes: at once, or held until it is known to be the answer. */
export interface TextSink {
  readonly length: number;
  text(text: string, out: EventSink): void;
}

export class TextBlock implements OpenBlock {
  readonly #writer: ChunkWriter;
  readonly #sink: TextSink;
  readonly #start: number;
  readonly #citations: unknown[] = [];

  constructor(writer: ChunkWriter, sink: TextSink) {
    this.#writer = writer;
    this.#sink = sink;
    this.#start = sink.length;
  }

  delta(delta: JsonObject, out: EventSink): void {
    const citation = objectIn(delta, 'citation');
    if (citation !== null) this.#citations.push(citation);
    this.#sink.text(stringIn(delta, 'text') ?? '', out);
  }

  close(out: EventSink): void {
    const place = { start: this.#start, end: this.#sink.length };
    const annotations = this.#citations.map((each) => annotation(each, place)).filter((each) => each !== null);
    if (annotations.length > 0) this.#writer.delta({ annotations }, out);
  }
}

/** Thoughts stream as text; at its end the whole block follows, with the signature that the next turn must bring back. */
export class ThoughtBlock implements OpenBlock {
  readonly #writer: ChunkWriter;
  readonly #block: JsonObject;
  readonly #index: number;
  #thinking = '';
  #signature = '';

  /** @param block as it began: redacted thoughts are whole then */
  constructor(writer: ChunkWriter, block: JsonObject, index: number) {
    this.#writer = writer;
    this.#block = block;
    this.#index = index;
  }

  delta(delta: JsonObject, out: EventSink): void {
    this.#signature += stringIn(delta, 'signature') ?? '';
    const text = stringIn(delta, 'thinking') ?? '';
    if (text === '') return;
    this.#thinking += text;
    this.#writer.delta({ [REASONING]: text }, out);
  }

  close(out: EventSink): void {
    const redacted = stringIn(this.#block, 'data') ?? '';
    if (this.#signature === '' && redacted === '') return;
    const whole =
      redacted === ''
        ? { type: 'thinking', thinking: this.#thinking, signature: this.#signature }
        : { type: 'redacted_thinking', data: redacted };
    this.#writer.delta({ [THINKING_BLOCKS]: [{ ...whole, index: this.#index }] }, out);
  }
}

/** A call of a tool. `write` puts a piece of its arguments into the client's stream. */
export class CallBlock implements OpenBlock {
  readonly #write: (json: string, out: EventSink) => void;
  readonly #input: JsonObject;
  #empty = true;

  /** @param input as the block began: `{}`, or everything from providers that do not stream arguments */
  constructor(input: JsonObject | null, write: (json: string, out: EventSink) => void) {
    this.#input = input ?? {};
    this.#write = write;
  }

  delta(delta: JsonObject, out: EventSink): void {
    const json = stringIn(delta, 'partial_json') ?? '';
    if (json === '') return;
    this.#empty = false;
    this.#write(json, out);
  }

  /** A call without arguments has no deltas, but clients parse what they got. */
  close(out: EventSink): void {
    if (this.#empty) this.#write(JSON.stringify(this.#input), out);
  }
}

import type { JsonObject } from '../../json-value.js';
import type { EventSink, TranslationContext } from '../translation.js';

/** Writes chat chunks: the role on the first, the same id on all. */
export class ChunkWriter {
  readonly #base: JsonObject;
  #model: string;
  #begun = false;
  #length = 0;

  constructor(context: TranslationContext) {
    this.#base = { id: `chatcmpl-${context.id}`, object: 'chat.completion.chunk', created: context.created };
    this.#model = context.model;
  }

  /** Characters of content so far. */
  get contentLength(): number {
    return this.#length;
  }

  begin(model: string | null, out: EventSink): void {
    this.#model = model ?? this.#model;
    if (!this.#begun) this.delta({ content: '' }, out);
  }

  content(text: string, out: EventSink): void {
    if (text === '') return;
    this.#length += text.length;
    this.delta({ content: text }, out);
  }

  delta(delta: JsonObject, out: EventSink): void {
    const first = this.#begun ? delta : { role: 'assistant', ...delta };
    this.#begun = true;
    this.#choice({ index: 0, delta: first, logprobs: null, finish_reason: null }, out);
  }

  finish(reason: string, stopSequence: string | null, out: EventSink): void {
    const stopped = stopSequence === null ? {} : { stop_sequence: stopSequence };
    this.#choice({ index: 0, delta: {}, logprobs: null, finish_reason: reason, ...stopped }, out);
  }

  usage(usage: JsonObject, out: EventSink): void {
    out.event('', { ...this.#base, model: this.#model, choices: [], usage });
  }

  #choice(choice: JsonObject, out: EventSink): void {
    out.event('', { ...this.#base, model: this.#model, choices: [choice] });
  }
}

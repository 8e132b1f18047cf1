import type { JsonObject } from '../../json-value.js';
import type { EventSink, TranslationContext } from '../translation.js';

/** Writes the chunks of one chat stream; the first delta carries the role. */
export class Chunks {
  readonly #head: JsonObject;
  /** With a usage chunk at the end, every other one has an empty `usage`. */
  readonly #tail: JsonObject;
  #begun = false;

  constructor(context: TranslationContext) {
    this.#head = {
      id: `chatcmpl-${context.id}`,
      object: 'chat.completion.chunk',
      created: context.created,
      model: context.model,
    };
    this.#tail = context.includeUsage ? { usage: null } : {};
  }

  delta(delta: JsonObject, out: EventSink): void {
    const first = this.#begun ? {} : { role: 'assistant' };
    this.#begun = true;
    this.#write({ index: 0, delta: { ...first, ...delta }, logprobs: null, finish_reason: null }, out);
  }

  /** The role, where nothing was said yet. */
  begin(out: EventSink): void {
    if (!this.#begun) this.delta({ content: '' }, out);
  }

  finish(reason: string, sequence: string | null, out: EventSink): void {
    this.begin(out);
    const stopped = sequence === null ? {} : { stop_sequence: sequence };
    this.#write({ index: 0, delta: {}, logprobs: null, finish_reason: reason, ...stopped }, out);
  }

  usage(usage: JsonObject, out: EventSink): void {
    out.event('', { ...this.#head, choices: [], usage });
  }

  #write(choice: JsonObject, out: EventSink) {
    out.event('', { ...this.#head, choices: [choice], ...this.#tail });
  }
}

import type { JsonObject } from '../../json-value.js';
import type { ItemPlace, ItemStatus, OpenItem } from './item.js';

/**
 * Thoughts. Their text is shown as a summary, where every client looks for it; what must come back in the next turn is sealed in
 * `encrypted_content`.
 */
export class ReasoningItem implements OpenItem {
  readonly #place: ItemPlace;
  /** What is to be sealed in it, asked for when it closes. */
  readonly #seal: () => string;
  readonly #summary: JsonObject[] = [];
  #text: string | null = null;

  constructor(place: ItemPlace, seal: () => string) {
    this.#place = place;
    this.#seal = seal;
    place.added({ id: place.id, type: 'reasoning', summary: [] });
  }

  text(text: string): void {
    if (this.#text === null) {
      this.#text = '';
      this.#inPart('response.reasoning_summary_part.added', { part: part('') });
    }
    this.#text += text;
    this.#inPart('response.reasoning_summary_text.delta', { delta: text });
  }

  /** Thoughts that follow are another part. */
  endPart(): void {
    const text = this.#text;
    if (text === null) return;
    this.#inPart('response.reasoning_summary_text.done', { text });
    this.#inPart('response.reasoning_summary_part.done', { part: part(text) });
    this.#summary.push(part(text));
    this.#text = null;
  }

  snapshot(): JsonObject {
    const open = this.#text === null ? [] : [part(this.#text)];
    return { id: this.#place.id, type: 'reasoning', summary: [...this.#summary, ...open] };
  }

  close(_status: ItemStatus): JsonObject {
    this.endPart();
    return this.#place.done({ ...this.snapshot(), encrypted_content: this.#seal() });
  }

  #inPart(type: string, members: JsonObject): void {
    this.#place.inside(type, { summary_index: this.#summary.length, ...members });
  }
}

function part(text: string): JsonObject {
  return { type: 'summary_text', text };
}

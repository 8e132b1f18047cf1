import { isObject, type JsonObject, listIn } from '../../json-value.js';
import type { ItemPlace, ItemStatus, OpenItem } from './item.js';

type PartKind = 'output_text' | 'refusal';

interface OpenPart {
  readonly kind: PartKind;
  text: string;
  readonly logprobs: JsonObject[];
}

/** A message of the assistant: one part of text, more where it also refuses. */
export class MessageItem implements OpenItem {
  readonly #place: ItemPlace;
  readonly #parts: JsonObject[] = [];
  #part: OpenPart | null = null;

  constructor(place: ItemPlace) {
    this.#place = place;
    place.added(this.#item('in_progress', []));
  }

  /** @param logprobs as chat states them for this piece */
  text(text: string, logprobs: readonly JsonObject[]): void {
    const part = this.#partOf('output_text');
    part.text += text;
    part.logprobs.push(...logprobs);
    this.#inPart('response.output_text.delta', { delta: text, logprobs: logprobs.map(shortLogprob) });
  }

  refusal(text: string): void {
    this.#partOf('refusal').text += text;
    this.#inPart('response.refusal.delta', { delta: text });
  }

  snapshot(status: ItemStatus): JsonObject {
    const open = this.#part === null ? [] : [content(this.#part)];
    return this.#item(status, [...this.#parts, ...open]);
  }

  close(status: ItemStatus): JsonObject {
    this.#closePart();
    return this.#place.done(this.#item(status, this.#parts));
  }

  #partOf(kind: PartKind): OpenPart {
    if (this.#part?.kind === kind) return this.#part;
    this.#closePart();
    const part: OpenPart = { kind, text: '', logprobs: [] };
    this.#part = part;
    this.#inPart('response.content_part.added', { part: content(part) });
    return part;
  }

  #closePart(): void {
    const part = this.#part;
    if (part === null) return;
    const done = content(part);
    const { text } = part;
    if (part.kind === 'refusal') this.#inPart('response.refusal.done', { refusal: text });
    else this.#inPart('response.output_text.done', { text, logprobs: part.logprobs.map(shortLogprob) });
    this.#inPart('response.content_part.done', { part: done });
    this.#parts.push(done);
    this.#part = null;
  }

  #inPart(type: string, members: JsonObject): void {
    this.#place.inside(type, { content_index: this.#parts.length, ...members });
  }

  #item(status: ItemStatus | 'in_progress', parts: readonly JsonObject[]): JsonObject {
    return { id: this.#place.id, type: 'message', status, role: 'assistant', content: parts };
  }
}

function content({ kind, text, logprobs }: OpenPart): JsonObject {
  if (kind === 'refusal') return { type: kind, refusal: text };
  return { type: kind, text, annotations: [], logprobs: logprobs.map(fullLogprob) };
}

function fullLogprob(stated: JsonObject): JsonObject {
  return { ...tokenOf(stated), top_logprobs: listIn(stated, 'top_logprobs').filter(isObject).map(tokenOf) };
}

function tokenOf(stated: JsonObject): JsonObject {
  return { ...shortToken(stated), bytes: listIn(stated, 'bytes') };
}

/** Events have them without bytes. */
function shortLogprob(stated: JsonObject): JsonObject {
  return { ...shortToken(stated), top_logprobs: listIn(stated, 'top_logprobs').filter(isObject).map(shortToken) };
}

function shortToken({ token, logprob }: JsonObject): JsonObject {
  return { token: typeof token === 'string' ? token : '', logprob: typeof logprob === 'number' ? logprob : 0 };
}

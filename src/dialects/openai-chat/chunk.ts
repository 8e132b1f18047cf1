import { isObject, type JsonObject, listIn, objectIn, stringIn } from '../json-value.js';
import { THINKING_BLOCKS } from '../translate/hub.js';

/**
 * Chat answers as OpenAI-compatible providers really send them, in one form for the translations that read them: reasoning under
 * three names, content as a list (Mistral), calls without an index, the running text beside each delta (Perplexity).
 */
export interface ChatEvent {
  /** '' when the event names none (the first of Azure's). */
  readonly id: string;
  readonly model: string;
  readonly choices: readonly ChatChoice[];
  /** The provider's usage object wherever it stood; null = not in this event. Last value wins, nothing is summed. */
  readonly usage: JsonObject | null;
}

export interface ChatChoice {
  readonly index: number;
  /** In the order in which a reader should see them. */
  readonly parts: readonly ChatPart[];
  /** The provider's own word; null while the choice goes on. */
  readonly finish: string | null;
  /** The sequence that ended the answer, where one is stated. Some state other things there: compare with what was asked for. */
  readonly stopSequence: string | null;
  /** `extra_content` of the message or delta. */
  readonly extra: JsonObject | null;
}

export type ChatPart =
  | { readonly kind: 'text' | 'refusal' | 'reasoning'; readonly text: string }
  /** Of the hub: a whole block of thoughts with its signature; its text has come as `reasoning` before, or comes here only. */
  | { readonly kind: 'thinking-block'; readonly block: JsonObject }
  | CallPart;

/** A call, or a piece of one. */
export interface CallPart {
  readonly kind: 'call';
  /** As stated; null where a provider leaves it out: see `CallSlots`. */
  readonly index: number | null;
  readonly id: string;
  readonly name: string;
  /** A piece of JSON text. */
  readonly arguments: string;
  /** `extra_content` of the call. */
  readonly extra: JsonObject | null;
}

/** One event of a stream. The running text that some put beside each delta (`message`, `text`) is not read again. */
export function readChatEvent(event: JsonObject): ChatEvent {
  return readWith(event, 'delta');
}

/** A whole answer. */
export function readChatBody(body: JsonObject): ChatEvent {
  return readWith(body, 'message');
}

function readWith(from: JsonObject, key: 'delta' | 'message'): ChatEvent {
  const choices = listIn(from, 'choices').filter(isObject);
  return {
    id: stringIn(from, 'id') ?? '',
    model: stringIn(from, 'model') ?? '',
    choices: choices.map((choice) => readChoice(choice, key)),
    usage: objectIn(from, 'usage') ?? objectIn(objectIn(from, 'x_groq'), 'usage') ?? objectIn(choices.at(-1), 'usage'),
  };
}

function readChoice(choice: JsonObject, key: 'delta' | 'message'): ChatChoice {
  const message = objectIn(choice, key);
  const index = choice['index'];
  return {
    index: typeof index === 'number' ? index : 0,
    parts: message === null ? [] : readParts(message),
    finish: stringIn(choice, 'finish_reason') || null,
    // The hub's name, vLLM's and SGLang's.
    stopSequence:
      stringIn(choice, 'stop_sequence') ?? stringIn(choice, 'stop_reason') ?? stringIn(choice, 'matched_stop'),
    extra: objectIn(message, 'extra_content'),
  };
}

function readParts(message: JsonObject): ChatPart[] {
  const parts: ChatPart[] = [];
  addText(parts, 'reasoning', reasoningOf(message));
  for (const block of listIn(message, THINKING_BLOCKS)) {
    if (isObject(block)) parts.push({ kind: 'thinking-block', block });
  }
  addContent(parts, message['content']);
  addText(parts, 'refusal', message['refusal']);
  for (const call of listIn(message, 'tool_calls')) if (isObject(call)) addCall(parts, readCall(call));
  const legacy = objectIn(message, 'function_call');
  if (legacy !== null) addCall(parts, callOf({ index: 0, id: '', from: legacy, extra: null }));
  return parts;
}

/** Some send the same thoughts under two names: only one is taken. */
function reasoningOf(message: JsonObject): string {
  const text = stringIn(message, 'reasoning_content') || stringIn(message, 'reasoning');
  if (text) return text;
  // OpenRouter's and Snowflake's list; what is encrypted has neither text nor summary.
  const details = listIn(message, 'reasoning_details');
  return details.map((detail) => stringIn(detail, 'text') ?? stringIn(detail, 'summary') ?? '').join('');
}

/** A string, or Mistral's list: `{type: "text", text}`, `{type: "thinking", thinking: [{text}]}`. */
function addContent(parts: ChatPart[], content: unknown): void {
  addText(parts, 'text', content);
  if (!Array.isArray(content)) return;
  for (const part of content) {
    if (!isObject(part)) addText(parts, 'text', part);
    addText(parts, 'text', stringIn(part, 'text'));
    addText(parts, 'refusal', stringIn(part, 'refusal'));
    addText(parts, 'reasoning', stringIn(part, 'thinking'));
    for (const thought of listIn(part, 'thinking')) addText(parts, 'reasoning', stringIn(thought, 'text'));
  }
}

function addText(parts: ChatPart[], kind: 'text' | 'refusal' | 'reasoning', text: unknown): void {
  if (typeof text === 'string' && text !== '') parts.push({ kind, text });
}

/** Snowflake fills every member that it does not use with empty texts: that is no call. */
function addCall(parts: ChatPart[], call: CallPart): void {
  if (call.id !== '' || call.name !== '' || call.arguments !== '') parts.push(call);
}

function readCall(call: JsonObject): CallPart {
  const index = call['index'];
  const custom = objectIn(call, 'custom');
  return callOf({
    index: typeof index === 'number' ? index : null,
    id: stringIn(call, 'id') ?? '',
    from: objectIn(call, 'function') ?? (custom === null ? {} : { name: custom['name'], arguments: custom['input'] }),
    extra: objectIn(call, 'extra_content'),
  });
}

interface StatedCall {
  readonly index: number | null;
  readonly id: string;
  readonly from: JsonObject;
  readonly extra: JsonObject | null;
}

function callOf({ index, id, from, extra }: StatedCall): CallPart {
  const stated = from['arguments'];
  // Some servers state the arguments as the object itself.
  const text = typeof stated === 'string' ? stated : isObject(stated) ? JSON.stringify(stated) : '';
  return { kind: 'call', index, id, name: stringIn(from, 'name') ?? '', arguments: text, extra };
}

/**
 * Tells which call a piece belongs to. Indexes cannot be relied on: Mistral leaves them out, and Google's OpenAI endpoint gives
 * every parallel call the index 0. A piece with a name and an id that was not seen begins a call.
 */
export class CallSlots {
  readonly #ids: string[] = [];
  readonly #byId = new Map<string, number>();
  readonly #byIndex = new Map<number, number>();

  /** Number of the call in the answer, from 0, the same for all of its pieces. */
  slot(call: CallPart): number {
    const byIndex = call.index === null ? undefined : this.#byIndex.get(call.index);
    const known = byIndex !== undefined && this.#continues(call, byIndex) ? byIndex : this.#byId.get(call.id);
    if (known !== undefined) return known;
    // A piece that says nothing of itself belongs to the call before it.
    if (call.index === null && call.id === '' && call.name === '' && this.#ids.length > 0) return this.#ids.length - 1;
    return this.#begin(call);
  }

  #begin(call: CallPart): number {
    const slot = this.#ids.push(call.id) - 1;
    if (call.id !== '') this.#byId.set(call.id, slot);
    if (call.index !== null) this.#byIndex.set(call.index, slot);
    return slot;
  }

  /** Only a piece with a name and another id begins a new call under an index that was used. */
  #continues(call: CallPart, slot: number): boolean {
    const id = this.#ids[slot] ?? '';
    return call.name === '' || call.id === '' || id === '' || call.id === id;
  }
}

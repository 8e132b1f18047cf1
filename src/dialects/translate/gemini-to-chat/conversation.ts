import { isObject, type JsonObject, objectIn, stringIn } from '../../json-value.js';
import { EXTRA_CONTENT, REASONING, THINKING_BLOCKS } from '../hub.js';
import type { TranslationContext } from '../translation.js';
import { writePart } from './parts.js';

interface Call {
  readonly id: string;
  readonly name: string;
}

/** `contents` and `systemInstruction` as messages. */
export function writeMessages(request: JsonObject, context: TranslationContext): JsonObject[] {
  const conversation = new Conversation(context);
  conversation.instruct(request['systemInstruction']);
  for (const { isModel, parts } of turnsOf(request['contents'])) {
    if (isModel) conversation.answer(parts);
    else conversation.ask(parts);
  }
  return conversation.messages;
}

interface Turn {
  readonly isModel: boolean;
  readonly parts: JsonObject[];
}

/** Google's client keeps every chunk of an answer as a content of its own: equal roles are one turn. */
function turnsOf(contents: unknown): readonly Turn[] {
  const turns: Turn[] = [];
  for (const content of Array.isArray(contents) ? contents : [contents]) {
    const parts = partsOf(content);
    const isModel = stringIn(content, 'role') === 'model';
    const last = turns.at(-1);
    if (last?.isModel === isModel) last.parts.push(...parts);
    else if (parts.length > 0) turns.push({ isModel, parts });
  }
  return turns;
}

class Conversation {
  readonly messages: JsonObject[] = [];
  readonly #context: TranslationContext;
  /** Calls without a result, oldest first: Google matches them by name. */
  #open: Call[] = [];
  #count = 0;

  constructor(context: TranslationContext) {
    this.#context = context;
  }

  instruct(instruction: unknown): void {
    if (instruction === undefined || instruction === null) return;
    const parts = partsOf(instruction)
      .map((part) => writePart(part, this.#context))
      .filter(isObject);
    const texts = parts.map((part) => stringIn(part, 'text'));
    if (texts.includes(null)) this.#context.losses.refuse('systemInstruction', 'it may hold texts only');
    if (texts.length > 0) this.messages.push({ role: 'system', content: texts.join('\n') });
  }

  /** Results come first: they must follow their calls. */
  ask(parts: readonly JsonObject[]): void {
    const media: JsonObject[] = [];
    for (const part of parts) {
      const response = objectIn(part, 'functionResponse');
      if (response !== null) media.push(...this.#result(response));
    }
    const said = parts.filter((part) => objectIn(part, 'functionResponse') === null);
    const written = [...media, ...said.map((part) => writePart(part, this.#context)).filter(isObject)];
    const [first] = written;
    if (first === undefined) return;
    const content = written.length === 1 && first['type'] === 'text' ? first['text'] : written;
    this.messages.push({ role: 'user', content });
  }

  /** Returns media of the result that the `tool` message cannot hold. */
  #result(response: JsonObject): readonly JsonObject[] {
    const { losses, extended } = this.#context;
    const name = stringIn(response, 'name') ?? '';
    const id = stringIn(response, 'id');
    const at = this.#open.findIndex((call) => (id === null ? call.name === name : call.id === id));
    const call = this.#open[at < 0 ? this.#open.findIndex((each) => each.name === name) : at];
    if (call === undefined)
      return losses.refuse('contents[].parts[].functionResponse', 'no call before it has this name');
    this.#open = this.#open.filter((each) => each !== call);
    const { text, isError } = resultText(objectIn(response, 'response') ?? {}, extended);
    const media = partsOf(response)
      .map((part) => writePart(part, this.#context))
      .filter(isObject);
    const inside = extended && media.length > 0;
    const content = inside ? [{ type: 'text', text }, ...media] : text;
    this.messages.push({
      role: 'tool',
      tool_call_id: call.id,
      content,
      ...(isError ? { is_error: true } : {}),
    });
    return inside ? [] : media;
  }

  answer(parts: readonly JsonObject[]): void {
    const thoughts = parts.filter((part) => part['thought'] === true);
    const calls = parts.filter((part) => objectIn(part, 'functionCall') !== null);
    const said = parts.filter((part) => !thoughts.includes(part) && !calls.includes(part));
    const texts = said.map((part) => this.#spoken(part));
    const written = calls.map((part) => this.#call(part));
    this.#open = [...this.#open, ...written.map(({ id, name }) => ({ id, name }))];
    const content = texts.join('');
    const message = {
      role: 'assistant',
      content: content === '' && written.length > 0 ? null : content,
      ...this.#thoughts(thoughts),
      ...(written.length === 0 ? {} : { tool_calls: written.map(({ call }) => call) }),
      ...this.#signature(said.findLast((part) => stringIn(part, 'thoughtSignature'))),
    };
    this.messages.push(message);
  }

  #spoken(part: JsonObject): string {
    const text = stringIn(part, 'text');
    if (text !== null) return text;
    const name = Object.keys(part).find((key) => key !== 'thoughtSignature') ?? 'text';
    if (name === 'text' || name === 'thoughtSignature') return '';
    return this.#context.losses.refuse(`contents[].parts[].${name}`, 'an answer may hold texts and calls only');
  }

  #call(part: JsonObject): Call & { readonly call: JsonObject } {
    const from = objectIn(part, 'functionCall');
    const name = stringIn(from, 'name') ?? '';
    this.#count += 1;
    // Nine letters and digits, because Mistral takes nothing else.
    const id = stringIn(from, 'id') || `call${String(this.#count).padStart(5, '0')}`;
    const args = JSON.stringify(objectIn(from, 'args') ?? {});
    const call = { id, type: 'function', function: { name, arguments: args }, ...this.#signature(part) };
    return { id, name, call };
  }

  #signature(part: JsonObject | undefined): JsonObject {
    const signature = stringIn(part, 'thoughtSignature');
    if (!signature) return {};
    if (this.#context.extended) return { [EXTRA_CONTENT]: { google: { thought_signature: signature } } };
    this.#context.losses.drop('contents[].parts[].thoughtSignature');
    return {};
  }

  /** A signature ends the block of thoughts before it. */
  #thoughts(parts: readonly JsonObject[]): JsonObject {
    if (parts.length === 0) return {};
    if (!this.#context.extended) {
      this.#context.losses.drop('contents[].parts[].thought');
      return {};
    }
    const blocks: JsonObject[] = [];
    let thinking = '';
    for (const part of parts) {
      thinking += stringIn(part, 'text') ?? '';
      const signature = stringIn(part, 'thoughtSignature');
      if (!signature) continue;
      blocks.push({ type: 'thinking', thinking, signature });
      thinking = '';
    }
    const text = parts.map((part) => stringIn(part, 'text') ?? '').join('');
    return { [REASONING]: text, ...(blocks.length === 0 ? {} : { [THINKING_BLOCKS]: blocks }) };
  }
}

/** A content, a part, a list of parts, or a text: Google's clients take all of them. */
function partsOf(content: unknown): JsonObject[] {
  if (typeof content === 'string') return content === '' ? [] : [{ text: content }];
  if (Array.isArray(content)) return content.flatMap(partsOf);
  if (!isObject(content)) return [];
  const { parts } = content;
  if (Array.isArray(parts))
    return parts.flatMap((part) => (typeof part === 'string' ? [{ text: part }] : isObject(part) ? [part] : []));
  if (isObject(parts)) return [parts];
  return 'role' in content || 'response' in content ? [] : [content];
}

/** `{"output": "text"}` is Google's frame around a text; `{"error": "text"}` too, where errors can be told in another way. */
function resultText(response: JsonObject, extended: boolean): { text: string; isError: boolean } {
  const [key = '', ...more] = Object.keys(response);
  const only = more.length === 0 ? stringIn(response, key) : null;
  const isError = extended && only !== null && key === 'error';
  const framed = isError || (only !== null && (key === 'output' || key === 'result'));
  return { text: framed ? only : JSON.stringify(response), isError };
}

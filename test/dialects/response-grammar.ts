import { isDeepStrictEqual } from 'node:util';
import { isObject, type JsonObject, listIn, objectIn, stringIn } from '../../src/dialects/json-value.js';

/** One event of a stream of OpenAI's Responses, with the name in its `event:` line. */
export interface ResponseEvent {
  readonly type: string;
  readonly data: JsonObject;
}

/** An item that was added and is not done yet. */
interface OpenItem {
  readonly item: JsonObject;
  readonly index: number;
  /** Parts that are done; of a message or of a summary. */
  readonly parts: unknown[];
  part: { readonly kind: string; text: string; done: boolean } | null;
  /** Arguments of a function, or the text of a custom tool. */
  text: string;
  textDone: boolean;
}

const TERMINALS = ['response.completed', 'response.incomplete', 'response.failed'];

/** Deltas and ends of parts: which kind of part they belong to, and the member that repeats the whole text. */
const PART_EVENTS: Readonly<Record<string, { readonly kind: string; readonly whole: string | null }>> = {
  'response.output_text.delta': { kind: 'output_text', whole: null },
  'response.output_text.done': { kind: 'output_text', whole: 'text' },
  'response.refusal.delta': { kind: 'refusal', whole: null },
  'response.refusal.done': { kind: 'refusal', whole: 'refusal' },
  'response.reasoning_summary_text.delta': { kind: 'summary_text', whole: null },
  'response.reasoning_summary_text.done': { kind: 'summary_text', whole: 'text' },
};

const CALL_EVENTS: Readonly<Record<string, { readonly item: string; readonly whole: string | null }>> = {
  'response.function_call_arguments.delta': { item: 'function_call', whole: null },
  'response.function_call_arguments.done': { item: 'function_call', whole: 'arguments' },
  'response.custom_tool_call_input.delta': { item: 'custom_tool_call', whole: null },
  'response.custom_tool_call_input.done': { item: 'custom_tool_call', whole: 'input' },
};

/** Checks the order of events and that every text is told the same three times; throws at the first fault. */
class Checker {
  readonly #items: JsonObject[] = [];
  readonly #ids = new Set<string>();
  #open: OpenItem | null = null;
  #id: string | null = null;
  #next = 0;
  #over = false;

  read({ type, data }: ResponseEvent): void {
    const at = `event ${this.#next} (${type})`;
    this.#expect(!this.#over, `${at} follows the end`);
    this.#expect(data['type'] === type, `${at} is named as what it is`);
    this.#expect(data['sequence_number'] === this.#next, `${at} has its number`);
    if (this.#next === 0) this.#expect(type === 'response.created', 'created comes first');
    if (this.#next === 1) this.#expect(type === 'response.in_progress' || TERMINALS.includes(type), 'then in_progress');
    this.#next += 1;
    this.#handle(type, data, at);
  }

  end(): void {
    this.#expect(this.#over, 'the stream has an end');
  }

  #handle(type: string, data: JsonObject, at: string): void {
    const response = objectIn(data, 'response');
    if (response !== null) this.#lifecycle(type, response, at);
    else if (type === 'response.output_item.added') this.#added(data, at);
    else this.#inside(type, data, at);
  }

  #lifecycle(type: string, response: JsonObject, at: string): void {
    this.#id ??= stringIn(response, 'id');
    this.#expect(response['id'] === this.#id, `${at} is of the same response`);
    if (!TERMINALS.includes(type)) {
      this.#expect(response['status'] === 'in_progress' && listIn(response, 'output').length === 0, `${at} begins`);
      return;
    }
    this.#over = true;
    this.#expect(type === `response.${response['status']}`, `${at} has its status`);
    const failed = type === 'response.failed';
    this.#expect(failed === isObject(response['error']), `${at} has an error if it failed`);
    this.#expect(failed || isObject(response['usage']), `${at} has usage`);
    const incomplete = type === 'response.incomplete';
    this.#expect(incomplete === isObject(response['incomplete_details']), `${at} says what is missing`);
    const output = listIn(response, 'output');
    const told = failed ? output.slice(0, this.#items.length) : output;
    this.#expect(isDeepStrictEqual(told, this.#items), `${at} has the items that were told`);
    this.#expect(failed || this.#open === null, `${at} leaves no item open`);
  }

  #added(data: JsonObject, at: string): void {
    const item = objectIn(data, 'item') ?? {};
    this.#expect(this.#open === null, `${at} comes when no item is open`);
    this.#expect(data['output_index'] === this.#items.length, `${at} has the next index`);
    const id = stringIn(item, 'id') ?? '';
    this.#expect(id !== '' && !this.#ids.has(id), `${at} has a new id`);
    this.#ids.add(id);
    this.#open = { item, index: this.#items.length, parts: [], part: null, text: '', textDone: false };
  }

  #inside(type: string, data: JsonObject, at: string): void {
    const open = this.#open;
    if (open === null) throw new Error(`${at} is of no open item`);
    this.#expect(data['output_index'] === open.index, `${at} is of the open item`);
    const handle = this.#handlerOf(type, open);
    handle(open, data, at);
  }

  #handlerOf(type: string, open: OpenItem): (open: OpenItem, data: JsonObject, at: string) => void {
    if (type === 'response.output_item.done') return (...of) => this.#done(...of);
    if (type in CALL_EVENTS) return (...of) => this.#call(...of);
    const parts = open.item['type'] === 'reasoning' ? 'summary_index' : 'content_index';
    return (_open, data, at) => {
      this.#expect(data['item_id'] === open.item['id'], `${at} names the open item`);
      this.#expect(data[parts] === open.parts.length, `${at} has the index of the part`);
      if (type.endsWith('_part.added')) this.#partAdded(open, data, at);
      else if (type.endsWith('_part.done')) this.#partDone(open, data, at);
      else this.#partText(open, data, at);
    };
  }

  #partAdded(open: OpenItem, data: JsonObject, at: string): void {
    const part = objectIn(data, 'part') ?? {};
    this.#expect(open.part === null, `${at} comes when no part is open`);
    this.#expect((part['text'] ?? part['refusal']) === '', `${at} begins empty`);
    open.part = { kind: String(part['type']), text: '', done: false };
  }

  #partText(open: OpenItem, data: JsonObject, at: string): void {
    const known = PART_EVENTS[String(data['type'])];
    if (known === undefined || open.part === null) throw new Error(`${at} is not expected`);
    this.#expect(known.kind === open.part.kind && !open.part.done, `${at} fits the open part`);
    if (known.whole === null) open.part.text += data['delta'];
    else {
      this.#expect(data[known.whole] === open.part.text, `${at} repeats the text`);
      open.part.done = true;
    }
  }

  #partDone(open: OpenItem, data: JsonObject, at: string): void {
    const part = objectIn(data, 'part') ?? {};
    this.#expect(open.part?.done === true, `${at} follows the end of its text`);
    this.#expect((part['text'] ?? part['refusal']) === open.part?.text, `${at} repeats the text`);
    open.parts.push(part);
    open.part = null;
  }

  #call(open: OpenItem, data: JsonObject, at: string): void {
    this.#expect(data['item_id'] === open.item['id'], `${at} names the open item`);
    const known = CALL_EVENTS[String(data['type'])];
    this.#expect(known?.item === open.item['type'] && !open.textDone, `${at} fits the item`);
    if (known?.whole == null) open.text += data['delta'];
    else {
      this.#expect(data[known.whole] === open.text, `${at} repeats the text`);
      open.textDone = true;
    }
  }

  #done(open: OpenItem, data: JsonObject, at: string): void {
    const item = objectIn(data, 'item') ?? {};
    for (const member of ['id', 'type', 'role', 'name', 'call_id', 'namespace'])
      this.#expect(item[member] === open.item[member], `${at} has the same ${member}`);
    this.#expect(open.part === null, `${at} leaves no part open`);
    const parts = item['type'] === 'message' ? item['content'] : item['summary'];
    if (parts !== undefined) this.#expect(isDeepStrictEqual(parts, open.parts), `${at} has the parts that were told`);
    const text = item['type'] === 'function_call' ? item['arguments'] : item['input'];
    if (text !== undefined) this.#expect(open.textDone && text === open.text, `${at} has the text that was told`);
    this.#expect(item['status'] !== 'in_progress', `${at} is no more in progress`);
    this.#items.push(item);
    this.#open = null;
  }

  #expect(holds: boolean, rule: string): void {
    if (!holds) throw new Error(`Not so: ${rule}.`);
  }
}

/** Throws unless these are the events of one whole stream. */
export function checkResponseEvents(events: readonly ResponseEvent[]): void {
  const checker = new Checker();
  for (const event of events) checker.read(event);
  checker.end();
}

/** What a reader of the stream has in the end. */
export function lastResponse(events: readonly ResponseEvent[]): JsonObject {
  return objectIn(events.at(-1)?.data, 'response') ?? {};
}

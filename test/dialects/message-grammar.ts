import { isObject, type JsonObject, listIn, objectIn, parseJson, stringIn } from '../../src/dialects/json-value.js';

/** An event as a client of Anthropic's Messages reads it: the `event:` line and its data. */
export interface MessageEvent {
  readonly type: string;
  readonly data: JsonObject;
}

export interface ReadMessage {
  /** The message as a client puts it together. */
  readonly message: JsonObject;
  readonly usageAtStart: JsonObject;
  /** `error` of the stream's error event; null = it ended well. */
  readonly error: JsonObject | null;
}

const FIRST = ['message_start', 'error'];
const LAST = ['message_stop', 'ping', 'error'];
const STOP_REASONS = ['end_turn', 'max_tokens', 'stop_sequence', 'tool_use', 'refusal'];
const STARTS: Readonly<Record<string, JsonObject>> = {
  text: { type: 'text', text: '' },
  thinking: { type: 'thinking', thinking: '', signature: '' },
};
/** Which deltas each kind of block takes, and the member that grows. */
const DELTAS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  text: { text_delta: 'text' },
  thinking: { thinking_delta: 'thinking', signature_delta: 'signature' },
  tool_use: { input_json_delta: 'partial_json' },
  redacted_thinking: {},
};

/** Throws at the first event that no client of the dialect could rely on. */
export function readMessage(events: readonly MessageEvent[]): ReadMessage {
  const reader = new MessageReader();
  for (const event of events) reader.event(event);
  return reader.result();
}

class MessageReader {
  #message: JsonObject | null = null;
  #usageAtStart: JsonObject = {};
  readonly #content: JsonObject[] = [];
  #open: { block: JsonObject; grown: Record<string, string>; deltas: number } | null = null;
  #delta: JsonObject | null = null;
  #isOver = false;
  #error: JsonObject | null = null;

  event({ type, data }: MessageEvent): void {
    check(!this.#isOver, `${type} after the end`);
    check(data['type'] === type, `event "${type}" with data of type ${JSON.stringify(data['type'])}`);
    check(this.#message !== null || FIRST.includes(type), `${type} before message_start`);
    check(this.#delta === null || LAST.includes(type), `${type} after message_delta`);
    if (type === 'error') this.#fail(data);
    else if (type === 'message_start') this.#start(data);
    else if (type === 'content_block_start') this.#startBlock(data);
    else if (type === 'content_block_delta') this.#fillBlock(data);
    else if (type === 'content_block_stop') this.#stopBlock(data);
    else if (type === 'message_delta') this.#end(data);
    else if (type === 'message_stop') {
      check(this.#delta !== null, 'message_stop without message_delta');
      this.#isOver = true;
    } else check(type === 'ping', `unknown event ${type}`);
  }

  result(): ReadMessage {
    check(this.#isOver, 'the stream has no end');
    const message = { ...this.#message, content: this.#content, ...this.#delta };
    if (this.#error === null) checkMessage(message);
    return { message, usageAtStart: this.#usageAtStart, error: this.#error };
  }

  #fail(data: JsonObject): void {
    this.#error = objectIn(data, 'error');
    check(
      stringIn(this.#error, 'type') !== null && stringIn(this.#error, 'message') !== null,
      'an error without words',
    );
    this.#isOver = true;
  }

  #start(data: JsonObject): void {
    check(this.#message === null, 'two message_start');
    const message = objectIn(data, 'message') ?? {};
    check(listIn(message, 'content').length === 0, 'message_start with content');
    check(message['stop_reason'] === null && message['stop_sequence'] === null, 'message_start with an end');
    this.#usageAtStart = objectIn(message, 'usage') ?? {};
    checkUsage(this.#usageAtStart);
    const input = ['input_tokens', 'cache_read_input_tokens', 'cache_creation_input_tokens'];
    check(
      input.some((name) => Number(this.#usageAtStart[name]) > 0),
      'message_start without an input',
    );
    this.#message = message;
  }

  #startBlock(data: JsonObject): void {
    check(this.#open === null, 'a block begins inside another');
    check(data['index'] === this.#content.length, `index ${data['index']} of block ${this.#content.length}`);
    const block = objectIn(data, 'content_block') ?? {};
    const type = stringIn(block, 'type') ?? '';
    check(type in DELTAS, `a block of type ${type}`);
    const empty = STARTS[type];
    check(empty === undefined || JSON.stringify(block) === JSON.stringify(empty), `${type} begins with content`);
    check(type !== 'tool_use' || JSON.stringify(block['input']) === '{}', 'trap 23: a call begins with arguments');
    this.#open = { block, grown: {}, deltas: 0 };
  }

  #fillBlock(data: JsonObject): void {
    const open = this.#opened(data);
    const delta = objectIn(data, 'delta') ?? {};
    const member = DELTAS[String(open.block['type'])]?.[String(delta['type'])];
    check(member !== undefined, `${delta['type']} in a block of ${open.block['type']}`);
    const text = stringIn(delta, member ?? '');
    check(text !== null && text !== '', `an empty ${delta['type']}`);
    open.grown[member ?? ''] = (open.grown[member ?? ''] ?? '') + text;
    open.deltas += 1;
  }

  #stopBlock(data: JsonObject): void {
    const { block, grown, deltas } = this.#opened(data);
    check(deltas > 0 || block['type'] === 'redacted_thinking', `an empty block of ${block['type']}`);
    const { partial_json: text, ...members } = grown;
    // What cannot be read is the model's fault; `checkMessage` tells.
    const input = text === undefined ? {} : { input: parseJson(text) ?? { INVALID_JSON: text } };
    this.#content.push({ ...block, ...members, ...input });
    this.#open = null;
  }

  #end(data: JsonObject): void {
    check(this.#open === null, 'message_delta inside a block');
    const usage = objectIn(data, 'usage') ?? {};
    checkUsage(usage);
    this.#delta = { ...objectIn(data, 'delta'), usage };
  }

  #opened(data: JsonObject) {
    if (this.#open === null) throw new Error('a delta or stop outside a block');
    check(data['index'] === this.#content.length, `index ${data['index']} in block ${this.#content.length}`);
    return this.#open;
  }
}

/** A whole message, as `POST /v1/messages` answers. Throws where it is none. */
export function checkMessage(message: JsonObject): void {
  check(/^msg_[A-Za-z0-9]+$/.test(String(message['id'])), `id ${message['id']}`);
  check(message['type'] === 'message' && message['role'] === 'assistant', 'no message of an assistant');
  check(typeof message['model'] === 'string' && message['model'] !== '', 'no model');
  const content = listIn(message, 'content');
  for (const block of content) checkBlock(block);
  const ids = content.map((block) => stringIn(block, 'id')).filter((id) => id !== null);
  check(new Set(ids).size === ids.length, `calls share an id: ${ids.join(', ')}`);
  const reason = String(message['stop_reason']);
  check(STOP_REASONS.includes(reason), `stop_reason ${reason}`);
  check(reason !== 'tool_use' || ids.length > 0, 'stops for tools and calls none');
  check((reason === 'stop_sequence') === (typeof message['stop_sequence'] === 'string'), 'stop_sequence');
  checkUsage(objectIn(message, 'usage') ?? {});
}

function checkBlock(block: unknown): void {
  check(isObject(block), 'content that is no block');
  const type = stringIn(block, 'type');
  if (type === 'text') check(stringIn(block, 'text') !== '', 'an empty text');
  else if (type === 'thinking') check(stringIn(block, 'signature') !== null, 'a thought without signature');
  else if (type === 'redacted_thinking') check(stringIn(block, 'data') !== null, 'a redacted thought without data');
  else {
    check(type === 'tool_use', `a block of type ${type}`);
    check(stringIn(block, 'id') !== '' && stringIn(block, 'name') !== null, 'a call without a name');
    check(isObject(objectIn(block, 'input')), `arguments that are no object: ${JSON.stringify(block)}`);
  }
}

function checkUsage(usage: JsonObject): void {
  for (const name of ['input_tokens', 'cache_creation_input_tokens', 'cache_read_input_tokens', 'output_tokens']) {
    check(Number.isSafeInteger(usage[name]) && Number(usage[name]) >= 0, `usage.${name} is ${usage[name]}`);
  }
}

function check(holds: boolean, problem: string): asserts holds {
  if (!holds) throw new Error(`Not Anthropic's grammar: ${problem}`);
}

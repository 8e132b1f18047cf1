import { isObject, type JsonObject, listIn, objectIn, parseJson, stringIn } from '../../json-value.js';
import { CACHE_CONTROL, REASONING, THINKING_BLOCKS } from '../hub.js';
import type { Losses } from '../losses.js';
import { contentBlocks, listOf, textBlock, withCacheControl } from './content.js';
import { ToolIds } from './tool-ids.js';

/** A chat's messages as Anthropic takes them. */
export interface Conversation {
  readonly system: readonly JsonObject[];
  /** Alternating turns of `user` and `assistant`. */
  readonly messages: readonly JsonObject[];
  /** Names of tools that were called. */
  readonly called: ReadonlySet<string>;
  /** The last turn answers tool calls, and the turn that made them does not begin with its signed thoughts. */
  readonly thoughtsLost: boolean;
}

interface Turn {
  readonly role: 'user' | 'assistant';
  /** Results of tools: they must come before anything else of the turn. */
  readonly results: JsonObject[];
  readonly blocks: JsonObject[];
}

/** Anthropic's first turn is the user's; a chat may begin with a greeting of the assistant. */
const OPENING: JsonObject = { type: 'text', text: '(The assistant begins.)' };

type MessageHandler = (draft: Draft, message: JsonObject) => void;

const HANDLERS: ReadonlyMap<string, MessageHandler> = new Map<string, MessageHandler>([
  ['system', (draft, message) => draft.system(message)],
  ['developer', (draft, message) => draft.system(message)],
  ['user', (draft, message) => draft.user(message)],
  ['assistant', (draft, message) => draft.assistant(message)],
  ['tool', (draft, message) => draft.result(message, stringIn(message, 'tool_call_id') ?? '')],
  ['function', (draft, message) => draft.functionResult(message)],
]);

const EVERYWHERE = ['role', 'content', CACHE_CONTROL];
/** Members that are read, by role; all others are losses. */
const READ: Readonly<Record<string, ReadonlySet<string>>> = {
  system: new Set(EVERYWHERE),
  developer: new Set(EVERYWHERE),
  user: new Set(EVERYWHERE),
  assistant: new Set([...EVERYWHERE, 'refusal', 'tool_calls', 'function_call', REASONING, THINKING_BLOCKS]),
  tool: new Set([...EVERYWHERE, 'tool_call_id', 'name', 'is_error']),
  function: new Set([...EVERYWHERE, 'name']),
};

export function convertMessages(messages: readonly unknown[], losses: Losses): Conversation {
  const draft = new Draft(losses);
  for (const message of messages) {
    if (!isObject(message)) continue;
    const role = stringIn(message, 'role') ?? '';
    const handler = HANDLERS.get(role);
    if (handler === undefined)
      return losses.refuse('messages[].role', `"${role.slice(0, 40)}" is no role that it knows`);
    noteLosses(message, role, losses);
    handler(draft, message);
  }
  return draft.finish();
}

function noteLosses(message: JsonObject, role: string, losses: Losses): void {
  for (const [name, value] of Object.entries(message)) {
    const isEmpty = value === null || value === undefined || (Array.isArray(value) && value.length === 0);
    if (!isEmpty && READ[role]?.has(name) !== true) losses.drop(`messages[].${name}`);
  }
}

class Draft {
  readonly #losses: Losses;
  readonly #system: JsonObject[] = [];
  readonly #turns: Turn[] = [];
  readonly #called = new Set<string>();
  readonly #ids = new ToolIds();
  /** Id of the last call of a function by name: their results do not say to which call they belong. */
  readonly #functionIds = new Map<string, string>();

  constructor(losses: Losses) {
    this.#losses = losses;
  }

  system(message: JsonObject): void {
    this.#system.push(...this.#cached(message, contentBlocks(message['content'], this.#losses)));
  }

  user(message: JsonObject): void {
    const blocks = this.#cached(message, contentBlocks(message['content'], this.#losses));
    if (blocks.length > 0) this.#turn('user').blocks.push(...blocks);
  }

  assistant(message: JsonObject): void {
    const said = [...contentBlocks(message['content'], this.#losses), ...listOf(textBlock(message['refusal']))];
    const calls = listIn(message, 'tool_calls').filter(isObject);
    const blocks = [
      ...this.#thoughts(message),
      ...said,
      ...calls.map((call) => this.#call(call)),
      ...this.#functionCall(objectIn(message, 'function_call')),
    ];
    if (blocks.length > 0) this.#turn('assistant').blocks.push(...this.#cached(message, blocks));
  }

  result(message: JsonObject, id: string): void {
    const { content } = message;
    const blocks = typeof content === 'string' ? content : contentBlocks(content, this.#losses);
    const parts = Array.isArray(content) ? content : [];
    // A breakpoint stands on the result as a whole.
    const cacheControl =
      message[CACHE_CONTROL] ?? parts.findLast((part) => objectIn(part, CACHE_CONTROL))?.[CACHE_CONTROL];
    const result = {
      type: 'tool_result',
      tool_use_id: this.#ids.result(id),
      ...(blocks.length > 0 ? { content: typeof blocks === 'string' ? blocks : blocks.map(withoutCacheControl) } : {}),
      ...(message['is_error'] === true ? { is_error: true } : {}),
    };
    this.#turn('user').results.push(withCacheControl(result, cacheControl));
  }

  functionResult(message: JsonObject): void {
    const name = stringIn(message, 'name') ?? '';
    this.result(message, this.#functionIds.get(name) ?? name);
  }

  finish(): Conversation {
    const messages = this.#turns.map((turn) => ({ role: turn.role, content: [...turn.results, ...turn.blocks] }));
    if (this.#turns[0]?.role === 'assistant') messages.unshift({ role: 'user', content: [OPENING] });
    const last = this.#turns.at(-1);
    if (last?.role === 'assistant') messages.splice(-1, 1, { role: 'assistant', content: endTrimmed(last.blocks) });
    return { system: this.#system, messages, called: this.#called, thoughtsLost: areThoughtsLost(this.#turns) };
  }

  /** Signed thoughts, as they were given out. Those of another provider have no signature that Anthropic would accept. */
  #thoughts(message: JsonObject): readonly JsonObject[] {
    const given = listIn(message, THINKING_BLOCKS).filter(isObject);
    const signed = given.filter((block) => isSigned(block)).map(withoutIndex);
    if (signed.length < given.length) this.#losses.drop(`messages[].${THINKING_BLOCKS}`);
    if (given.length === 0 && stringIn(message, REASONING)) this.#losses.drop(`messages[].${REASONING}`);
    return signed;
  }

  #call(call: JsonObject): JsonObject {
    const called = objectIn(call, 'function');
    if (called === null) this.#losses.refuse('messages[].tool_calls[].type', 'it only knows calls of functions');
    if (objectIn(call, 'extra_content') !== null) this.#losses.drop('messages[].tool_calls[].extra_content');
    const id = stringIn(call, 'id') ?? `call_${this.#called.size}`;
    return withCacheControl(this.#toolUse(called, id), call[CACHE_CONTROL]);
  }

  #functionCall(called: JsonObject | null): readonly JsonObject[] {
    if (called === null) return [];
    const name = stringIn(called, 'name') ?? '';
    const id = `function_${this.#turns.length}_${name}`;
    this.#functionIds.set(name, id);
    return [this.#toolUse(called, id)];
  }

  #toolUse(called: JsonObject | null, id: string): JsonObject {
    const name = stringIn(called, 'name') ?? '';
    this.#called.add(name);
    return { type: 'tool_use', id: this.#ids.call(id), name, input: this.#input(called?.['arguments']) };
  }

  /** Anthropic wants an object; what a model wrote wrongly is kept as text. */
  #input(given: unknown): JsonObject {
    if (isObject(given)) return given;
    const text = typeof given === 'string' ? given : '';
    if (text.trim() === '') return {};
    const parsed = parseJson(text);
    if (isObject(parsed)) return parsed;
    this.#losses.drop('messages[].tool_calls[].function.arguments');
    return { arguments: text };
  }

  #turn(role: Turn['role']): Turn {
    const last = this.#turns.at(-1);
    if (last?.role === role) return last;
    const turn: Turn = { role, results: [], blocks: [] };
    this.#turns.push(turn);
    return turn;
  }

  /** A breakpoint on a message stands on its last block that can have one. */
  #cached(message: JsonObject, blocks: readonly JsonObject[]): readonly JsonObject[] {
    const cacheControl = message[CACHE_CONTROL];
    const at = blocks.findLastIndex((block) => !isThought(block));
    return isObject(cacheControl)
      ? blocks.map((block, index) => (index === at ? withCacheControl(block, cacheControl) : block))
      : blocks;
  }
}

function withoutCacheControl(block: JsonObject): JsonObject {
  const { [CACHE_CONTROL]: _moved, ...rest } = block;
  return rest;
}

/** `index` is ours: it numbers the blocks of a stream. */
function withoutIndex(block: JsonObject): JsonObject {
  const { index: _ours, ...rest } = block;
  return rest;
}

function isThought(block: JsonObject | undefined): boolean {
  return block?.['type'] === 'thinking' || block?.['type'] === 'redacted_thinking';
}

function isSigned(block: JsonObject): boolean {
  if (block['type'] === 'redacted_thinking') return Boolean(stringIn(block, 'data'));
  return block['type'] === 'thinking' && typeof block['thinking'] === 'string' && Boolean(stringIn(block, 'signature'));
}

function areThoughtsLost(turns: readonly Turn[]): boolean {
  const last = turns.at(-1);
  if (last === undefined || last.role !== 'user' || last.results.length === 0) return false;
  const before = turns.at(-2);
  return before !== undefined && !isThought(before.blocks[0]);
}

/** Anthropic refuses an answer to be continued that ends with white space. */
function endTrimmed(blocks: readonly JsonObject[]): JsonObject[] {
  const last = blocks.at(-1);
  const text = last?.['type'] === 'text' ? stringIn(last, 'text') : null;
  return last === undefined || text === null
    ? [...blocks]
    : [...blocks.slice(0, -1), { ...last, text: text.trimEnd() }];
}

import { isObject, type JsonObject, listIn, objectIn, stringIn } from '../../json-value.js';
import { CACHE_CONTROL, REASONING, THINKING_BLOCKS } from '../hub.js';
import { callPart, NO_SIGNATURE, signatureOf, withSignature } from './calls.js';
import { writeParts } from './parts.js';
import { writeResult } from './results.js';
import { type Scope, VERSION_WITH_JSON_SCHEMA, VERSION_WITH_SIGNATURES } from './scope.js';

/** One entry of `contents` that is being written. */
interface Turn {
  readonly role: 'user' | 'model';
  readonly parts: JsonObject[];
  /** Holds results of functions and nothing else. */
  readonly results: boolean;
}

type MessageWriter = (conversation: Conversation, message: JsonObject) => void;

const WRITERS: ReadonlyMap<string, MessageWriter> = new Map<string, MessageWriter>([
  ['system', (conversation, message) => conversation.instruct(message)],
  ['developer', (conversation, message) => conversation.instruct(message)],
  ['user', (conversation, message) => conversation.ask(message)],
  ['assistant', (conversation, message) => conversation.answer(message)],
  ['tool', (conversation, message) => conversation.result(message)],
  ['function', (conversation, message) => conversation.result(message)],
]);

/** `messages` as `contents` and `systemInstruction`. */
export function writeConversation(messages: readonly unknown[], scope: Scope): JsonObject {
  const conversation = new Conversation(scope);
  for (const message of messages) {
    const writer = isObject(message) ? WRITERS.get(stringIn(message, 'role') ?? '') : undefined;
    if (!isObject(message) || writer === undefined) scope.losses.refuse('messages[].role', 'it is none of OpenAI’s');
    else {
      if (isObject(message[CACHE_CONTROL])) scope.losses.drop(`messages[].${CACHE_CONTROL}`);
      writer(conversation, message);
    }
  }
  return conversation.written();
}

class Conversation {
  readonly #scope: Scope;
  readonly #turns: Turn[] = [];
  readonly #system: JsonObject[] = [];
  /** Calls of the last turn of the model: results are matched by name and stand in this order. */
  readonly #calls = new Map<string, { readonly name: string; readonly order: number }>();
  #order: number[] = [];
  /** Media in results, for models that take none there: they follow the results. */
  #media: JsonObject[] = [];

  constructor(scope: Scope) {
    this.#scope = scope;
  }

  instruct(message: JsonObject): void {
    const parts = writeParts(message['content'], this.#scope);
    if (parts.some((part) => !('text' in part)))
      this.#scope.losses.refuse('messages[].content[]', 'instructions of the system are texts only');
    this.#system.push(...parts);
  }

  ask(message: JsonObject): void {
    if (message['name']) this.#scope.losses.drop('messages[].name');
    this.#add('user', writeParts(message['content'], this.#scope));
  }

  answer(message: JsonObject): void {
    const { losses } = this.#scope;
    if (message['name']) losses.drop('messages[].name');
    if (isObject(message['audio'])) losses.drop('messages[].audio');
    const spoken = [...writeParts(message['content'], this.#scope), ...writeParts(message['refusal'], this.#scope)];
    const legacy = objectIn(message, 'function_call');
    const calls = [
      ...listIn(message, 'tool_calls').filter(isObject),
      ...(legacy === null ? [] : [{ function: legacy }]),
    ];
    this.#remember(calls);
    const called = calls.map((call) => callPart(call, this.#scope));
    this.#add('model', [...this.#thoughts(message), ...signed(spoken, message, this.#scope), ...called]);
  }

  result(message: JsonObject): void {
    const id = stringIn(message, 'tool_call_id') ?? stringIn(message, 'name') ?? '';
    const call = this.#calls.get(id);
    const name = call?.name ?? stringIn(message, 'name');
    const { part, media } = writeResult(message, name ?? this.#unknownCall(), this.#scope);
    this.#addResult(part, call?.order ?? this.#calls.size);
    this.#media.push(...media);
  }

  written(): JsonObject {
    this.#endResults();
    const turns = this.#turns;
    // Nothing but instructions: Google wants a question, and OpenAI would answer them.
    if (turns.length === 0 && this.#system.length > 0) return { contents: [{ role: 'user', parts: this.#system }] };
    if (turns.length === 0) this.#scope.losses.refuse('messages', 'it needs at least one message that is not empty');
    // Google's conversations begin with the user.
    if (turns[0]?.role === 'model') turns.unshift({ role: 'user', parts: [{ text: ' ' }], results: false });
    if (this.#scope.version >= VERSION_WITH_SIGNATURES) signCurrentTurn(turns);
    const contents = turns.map(({ role, parts }) => ({ role, parts }));
    return this.#system.length === 0 ? { contents } : { contents, systemInstruction: { parts: this.#system } };
  }

  #unknownCall(): never {
    return this.#scope.losses.refuse('messages[].tool_call_id', 'no call before it has this id');
  }

  #remember(calls: readonly JsonObject[]) {
    // Two answers in a row are one turn.
    if (this.#turns.at(-1)?.role !== 'model') this.#calls.clear();
    for (const call of calls) {
      const name = stringIn(objectIn(call, 'function'), 'name') ?? '';
      this.#calls.set(stringIn(call, 'id') ?? name, { name, order: this.#calls.size });
    }
  }

  /** Texts of thoughts; what is encrypted belongs to another provider. */
  #thoughts(message: JsonObject): JsonObject[] {
    const { losses, version } = this.#scope;
    const blocks = listIn(message, THINKING_BLOCKS).filter(isObject);
    if (blocks.some((block) => stringIn(block, 'type') === 'redacted_thinking'))
      losses.drop(`messages[].${THINKING_BLOCKS}`);
    const told = blocks.map((block) => stringIn(block, 'thinking') ?? '').join('');
    const text = stringIn(message, REASONING) || told;
    if (text === '') return [];
    if (version >= VERSION_WITH_JSON_SCHEMA) return [{ text, thought: true }];
    losses.drop(`messages[].${REASONING}`);
    return [];
  }

  /** Equal roles are one turn, but results of functions stand alone. */
  #add(role: Turn['role'], parts: readonly JsonObject[]) {
    this.#endResults();
    const last = this.#turns.at(-1);
    if (parts.length === 0) return;
    if (last?.role === role && !last.results) last.parts.push(...parts);
    else this.#turns.push({ role, parts: [...parts], results: false });
  }

  #addResult(part: JsonObject, order: number) {
    let turn = this.#turns.at(-1);
    if (turn === undefined || !turn.results) {
      turn = { role: 'user', parts: [], results: true };
      this.#turns.push(turn);
      this.#order = [];
    }
    const at = this.#order.findIndex((other) => other > order);
    const place = at < 0 ? this.#order.length : at;
    this.#order.splice(place, 0, order);
    turn.parts.splice(place, 0, part);
  }

  #endResults() {
    const media = this.#media;
    this.#media = [];
    if (media.length > 0) this.#turns.push({ role: 'user', parts: media, results: false });
  }
}

/** The signature of a message belongs to its last text. */
function signed(parts: readonly JsonObject[], message: JsonObject, scope: Scope): readonly JsonObject[] {
  if (signatureOf(message) === null) return parts;
  const last = parts.at(-1) ?? { text: '' };
  return [...parts.slice(0, -1), withSignature(last, message, scope)];
}

/**
 * Gemini 3 refuses a turn whose first call has lost its signature. Only what came after the last question is checked.
 * https://ai.google.dev/gemini-api/docs/thought-signatures
 */
function signCurrentTurn(turns: readonly Turn[]): void {
  const question = turns.findLastIndex(({ role, results }) => role === 'user' && !results);
  for (const { parts } of turns.slice(question + 1)) {
    const first = parts.findIndex((part) => 'functionCall' in part);
    const call = parts[first];
    if (call !== undefined && !('thoughtSignature' in call)) parts[first] = { ...call, thoughtSignature: NO_SIGNATURE };
  }
}

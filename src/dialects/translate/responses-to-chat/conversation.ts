import { type JsonObject, stringIn } from '../../json-value.js';
import { CACHE_CONTROL, EXTRA_CONTENT, REASONING, THINKING_BLOCKS } from '../hub.js';
import type { TranslationContext } from '../translation.js';
import type { Carried } from './carried.js';
import { collapsed } from './content.js';

/** A call that the assistant made in an earlier turn. */
export interface EarlierCall {
  readonly id: string;
  /** Name of the function. */
  readonly name: string;
  /** JSON text. */
  readonly arguments: string;
}

/** Everything that the assistant did between two inputs: one message of chat, and the outputs of its calls behind it. */
interface Turn {
  readonly texts: JsonObject[];
  readonly thoughts: string[];
  readonly blocks: JsonObject[];
  readonly calls: EarlierCall[];
  /** Parts of each output, by the call's id. */
  readonly outputs: Map<string, readonly JsonObject[]>;
  readonly signatures: Map<string, JsonObject>;
  extra: JsonObject | null;
}

/** Puts items, which stand one by one, together as messages: a turn of the assistant is one message, and outputs follow their calls. */
export class Conversation {
  readonly #context: TranslationContext;
  readonly #entries: (JsonObject | Turn)[] = [];
  readonly #turnOfCall = new Map<string, Turn>();
  /** The assistant's turn that may still grow. */
  #turn: Turn | null = null;

  constructor(context: TranslationContext) {
    this.#context = context;
  }

  /** @param role `user` or `system` */
  say(role: string, parts: readonly JsonObject[]): void {
    if (parts.length === 0) return;
    this.#turn = null;
    this.#entries.push({ role, content: collapsed(parts) });
  }

  answer(parts: readonly JsonObject[]): void {
    const { texts } = this.#assistant();
    for (const part of parts) texts.push(part);
  }

  /** @param text what the client was shown of the thoughts */
  think(text: string, carried: Carried): void {
    const turn = this.#assistant();
    if (text !== '') turn.thoughts.push(text);
    for (const block of carried.blocks) turn.blocks.push(block);
    turn.extra = carried.extra ?? turn.extra;
    for (const [id, extra] of carried.calls) turn.signatures.set(id, extra);
  }

  call(call: EarlierCall): void {
    if (this.#turnOfCall.has(call.id)) this.#refuse(`two calls have the id "${call.id.slice(0, 60)}"`);
    const turn = this.#assistant();
    turn.calls.push(call);
    this.#turnOfCall.set(call.id, turn);
  }

  output(id: string, parts: readonly JsonObject[]): void {
    const turn = this.#turnOfCall.get(id) ?? this.#refuse(`no call in the input has the id "${id.slice(0, 60)}"`);
    if (turn.outputs.has(id)) this.#refuse(`two outputs answer the call "${id.slice(0, 60)}"`);
    turn.outputs.set(id, parts);
    this.#turn = null;
  }

  messages(): readonly JsonObject[] {
    const messages = this.#entries.flatMap((entry) => ('texts' in entry ? this.#write(entry as Turn) : [entry]));
    return joinSystem(messages);
  }

  #assistant(): Turn {
    if (this.#turn === null) {
      this.#turn = {
        texts: [],
        thoughts: [],
        blocks: [],
        calls: [],
        outputs: new Map(),
        signatures: new Map(),
        extra: null,
      };
      this.#entries.push(this.#turn);
    }
    return this.#turn;
  }

  #write(turn: Turn): readonly JsonObject[] {
    const missing = turn.calls.find(({ id }) => !turn.outputs.has(id));
    if (missing !== undefined) this.#refuse(`no output answers the call "${missing.id.slice(0, 60)}"`);
    if (turn.texts.length === 0 && turn.calls.length === 0) return [];
    const outputs = turn.calls.map(({ id }) => this.#writeOutput(id, turn.outputs.get(id) ?? []));
    const shown = outputs.flatMap((output) => output.shown);
    return [
      this.#assistantMessage(turn),
      ...outputs.map((output) => output.message),
      ...(shown.length === 0 ? [] : [{ role: 'user', content: shown }]),
    ];
  }

  #assistantMessage(turn: Turn): JsonObject {
    const { extended } = this.#context;
    const calls = turn.calls.map((call) => {
      const extra = extended ? turn.signatures.get(call.id) : undefined;
      return {
        id: call.id,
        type: 'function',
        function: { name: call.name, arguments: call.arguments },
        ...(extra === undefined ? {} : { [EXTRA_CONTENT]: extra }),
      };
    });
    return {
      role: 'assistant',
      content: turn.texts.length === 0 ? null : joined(turn.texts),
      ...this.#thoughts(turn),
      ...(calls.length === 0 ? {} : { tool_calls: calls }),
      ...(extended && turn.extra !== null ? { [EXTRA_CONTENT]: turn.extra } : {}),
    };
  }

  /** Thoughts go back to those that can use them; OpenAI and others refuse the member. */
  #thoughts({ thoughts, blocks }: Turn): JsonObject {
    const { extended, echoesReasoning = false } = this.#context;
    const text = extended || echoesReasoning ? thoughts.join('\n\n') : '';
    return {
      ...(text === '' ? {} : { [REASONING]: text }),
      ...(extended && blocks.length > 0 ? { [THINKING_BLOCKS]: blocks } : {}),
    };
  }

  /** Chat takes texts from tools and nothing else, so a provider is shown what else there is behind them. */
  #writeOutput(id: string, parts: readonly JsonObject[]) {
    const message = { role: 'tool', tool_call_id: id };
    if (this.#context.extended) return { message: { ...message, content: outputOf(parts) }, shown: [] };
    const texts = parts.filter((part) => part['type'] === 'text');
    const others = parts.filter((part) => part['type'] !== 'text');
    if (others.length === 0) return { message: { ...message, content: joined(texts) }, shown: [] };
    const text = texts.length === 0 ? 'The output is in the next message.' : joined(texts);
    const heading = { type: 'text', text: `Output of the call ${id}:` };
    return { message: { ...message, content: text }, shown: [heading, ...others] };
  }

  #refuse(why: string): never {
    return this.#context.losses.refuse('input[].call_id', why);
  }
}

function outputOf(parts: readonly JsonObject[]): string | readonly JsonObject[] {
  return parts.length === 0 ? '' : collapsed(parts);
}

/** Texts of one author as one text. */
function joined(parts: readonly JsonObject[]): string {
  return parts.map((part) => stringIn(part, 'text') ?? '').join('\n\n');
}

/** Instructions that follow one another are one message: some chat templates allow no second one. */
function joinSystem(messages: readonly JsonObject[]): readonly JsonObject[] {
  const kept: JsonObject[] = [];
  /** Parts of the last message, if it is of the system. */
  let parts: JsonObject[] | null = null;
  for (const message of messages) {
    if (message['role'] !== 'system') {
      kept.push(message);
      parts = null;
      continue;
    }
    if (parts === null) {
      parts = [];
      kept.push({ role: 'system', content: parts });
    }
    for (const part of partsOf(message)) parts.push(part);
  }
  return kept.map(plainSystem);
}

function partsOf({ content }: JsonObject): readonly JsonObject[] {
  return Array.isArray(content) ? content : [{ type: 'text', text: content }];
}

function plainSystem(message: JsonObject): JsonObject {
  if (message['role'] !== 'system') return message;
  const parts = partsOf(message);
  const plain = parts.every((part) => part['type'] === 'text' && part[CACHE_CONTROL] === undefined);
  return plain ? { ...message, content: joined(parts) } : message;
}

import { isObject, type JsonObject, listIn, objectIn, stringIn } from '../../../src/dialects/json-value.js';
import { chatToAnthropic } from '../../../src/dialects/translate/chat-to-anthropic/pair.js';
import { Losses } from '../../../src/dialects/translate/losses.js';
import type { PreparedCall, TranslationContext } from '../../../src/dialects/translate/translation.js';

function contextFor(model: string, more: Partial<TranslationContext> = {}): TranslationContext {
  return {
    model,
    stream: false,
    outputCap: null,
    outputCapField: 'max_tokens',
    inputTokens: 7,
    defaultOutputTokens: 4096,
    includeUsage: true,
    id: 'r1',
    created: 1_780_000_000,
    extended: false,
    losses: new Losses(),
    ...more,
  };
}

export function prepare(
  request: JsonObject,
  model = 'claude-sonnet-4-5',
  more: Partial<TranslationContext> = {},
): PreparedCall & { warnings: readonly string[] } {
  const context = contextFor(model, more);
  const call = chatToAnthropic.prepare(request, context);
  return { ...call, warnings: context.losses.dropped };
}

export function ask(more: JsonObject, model?: string, context?: Partial<TranslationContext>) {
  return prepare({ model: 'm', messages: [{ role: 'user', content: 'Hi' }], ...more }, model, context);
}

/** What the client's stream would hold; the end says whether it was complete. */
export function streamed(call: PreparedCall, events: readonly JsonObject[]): unknown[] {
  const out: unknown[] = [];
  const sink = { event: (_type: string, data: JsonObject) => void out.push(data), done: () => void out.push('[DONE]') };
  const translator = call.stream();
  for (const event of events) translator.event(stringIn(event, 'type') ?? '', event, sink);
  if (!translator.end(sink)) out.push('incomplete');
  return out;
}

/** A client's view of a stream: the whole message, as the official clients put it together. */
export interface Collected {
  role: string[];
  content: string;
  reasoning: string;
  thinking: JsonObject[];
  calls: { id: string; name: string; arguments: string }[];
  finish: string[];
  usage: unknown;
  done: number;
}

export function collect(chunks: readonly unknown[]): Collected {
  const all: Collected = {
    role: [],
    content: '',
    reasoning: '',
    thinking: [],
    calls: [],
    finish: [],
    usage: null,
    done: 0,
  };
  for (const chunk of chunks) {
    if (chunk === '[DONE]') all.done += 1;
    if (!isObject(chunk)) continue;
    if (isObject(chunk['usage'])) all.usage = chunk['usage'];
    for (const choice of listIn(chunk, 'choices')) takeDelta(objectIn(choice, 'delta') ?? {}, all);
    for (const choice of listIn(chunk, 'choices')) {
      const finish = stringIn(choice, 'finish_reason');
      if (finish !== null) all.finish.push(finish);
    }
  }
  return all;
}

function takeDelta(delta: JsonObject, all: Collected): void {
  if (delta['role'] !== undefined) all.role.push(String(delta['role']));
  all.content += stringIn(delta, 'content') ?? '';
  all.reasoning += stringIn(delta, 'reasoning_content') ?? '';
  for (const block of listIn(delta, 'thinking_blocks')) if (isObject(block)) all.thinking.push(block);
  for (const call of listIn(delta, 'tool_calls')) {
    const index = isObject(call) ? Number(call['index']) : -1;
    const called = objectIn(call, 'function');
    if (index === all.calls.length)
      all.calls.push({ id: stringIn(call, 'id') ?? '', name: stringIn(called, 'name') ?? '', arguments: '' });
    const open = all.calls[index];
    if (open === undefined) throw new Error(`call ${index} was never begun`);
    open.arguments += stringIn(called, 'arguments') ?? '';
  }
}

export function callsIn(message: JsonObject): unknown[] {
  return listIn(message, 'tool_calls').map((call) => {
    const called = objectIn(call, 'function');
    return [stringIn(call, 'id'), stringIn(called, 'name'), JSON.parse(stringIn(called, 'arguments') ?? '')];
  });
}

/** Rules that every stream of chunks keeps. */
export function grammarFaults(chunks: readonly unknown[]): readonly string[] {
  const faults: string[] = [];
  const say = (holds: boolean, rule: string) => void (holds || faults.push(rule));
  const { role, finish, done } = collect(chunks);
  const complete = chunks.at(-1) !== 'incomplete';
  say(role.length <= 1 && role.every((each) => each === 'assistant'), `roles ${role}`);
  say(chunks.length < 2 || isObject(firstDelta(chunks)) === (role.length === 1), 'the first delta has the role');
  say(finish.length === (complete ? 1 : 0), `finish ${finish}`);
  say(done === (complete ? 1 : 0), `done ${done}`);
  say(!complete || chunks.at(-1) === '[DONE]', 'nothing after the end');
  const ids = new Set(chunks.filter(isObject).map((chunk) => `${chunk['id']} ${chunk['created']} ${chunk['object']}`));
  say(ids.size <= 1, 'one id');
  return faults;
}

function firstDelta(chunks: readonly unknown[]): unknown {
  const delta = objectIn(listIn(chunks[0], 'choices')[0], 'delta');
  return delta !== null && 'role' in delta ? delta : undefined;
}

export function start(usage: JsonObject = { input_tokens: 3, output_tokens: 1 }): JsonObject {
  return { type: 'message_start', message: { model: 'claude-x', usage } };
}

export function block(index: number, content_block: JsonObject, ...deltas: readonly JsonObject[]): JsonObject[] {
  return [
    { type: 'content_block_start', index, content_block },
    ...deltas.map((delta) => ({ type: 'content_block_delta', index, delta })),
    { type: 'content_block_stop', index },
  ];
}

export function finish(stop_reason: string): JsonObject[] {
  return [{ type: 'message_delta', delta: { stop_reason }, usage: { output_tokens: 5 } }, { type: 'message_stop' }];
}

export function tool(id: string, input: JsonObject = {}): JsonObject {
  return { type: 'tool_use', id, name: 'look', input };
}

export const TOOLS = {
  tools: [{ type: 'function', function: { name: 'look', parameters: { type: 'object', properties: {} } } }],
};

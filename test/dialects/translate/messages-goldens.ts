import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { GatewayError } from '../../../src/dialects/error.js';
import { createEventDecoder } from '../../../src/dialects/event-decoders.js';
import type { JsonObject } from '../../../src/dialects/json-value.js';
import { Losses } from '../../../src/dialects/translate/losses.js';
import { messagesToChat } from '../../../src/dialects/translate/messages-to-chat/pair.js';
import type { PreparedCall, TranslationContext } from '../../../src/dialects/translate/translation.js';
import type { MessageEvent } from '../message-grammar.js';

/** What goes in by hand, and what comes out as the code says. */
export interface MessagesGolden {
  /** What differs from `contextFor`. */
  readonly context?: Partial<TranslationContext>;
  /** The client's. */
  readonly request: JsonObject;
  readonly expected?: JsonObject;
  readonly warnings?: readonly string[];
  /** The provider's answer, whole or as the data of its events. */
  readonly answer?: JsonObject;
  readonly events?: readonly JsonObject[];
  /** What the client reads. */
  readonly read?: JsonObject;
  readonly written?: readonly MessageEvent[];
}

const FOLDER = 'test/golden/translate/messages-to-chat';

export function contextFor(changes: Partial<TranslationContext> = {}): TranslationContext {
  return {
    model: 'gpt-5',
    stream: false,
    outputCap: null,
    outputCapField: 'max_completion_tokens',
    inputTokens: 7,
    defaultOutputTokens: 4096,
    includeUsage: false,
    id: 'b3b1c1a0-0001',
    created: 1_780_000_000,
    extended: false,
    losses: new Losses(),
    ...changes,
  };
}

/** The events that a call's stream writes for a provider's; `[DONE]` comes last. */
export function streamed(call: PreparedCall, events: readonly JsonObject[], ends: 'done' | 'closed' = 'done') {
  const written: MessageEvent[] = [];
  const out = { event: (type: string, data: JsonObject) => void written.push({ type, data }), done: () => {} };
  const translator = call.stream();
  for (const event of events) translator.event('', event, out);
  if (ends === 'done') translator.done(out);
  const isWhole = translator.end(out);
  if (!isWhole) translator.fail({ message: 'It broke off.', code: 'provider_error', status: 502 }, out);
  return written;
}

/** What a client of Messages sees in a stream's bytes. */
export function eventsIn(bytes: Buffer): readonly MessageEvent[] {
  const events: MessageEvent[] = [];
  const decoder = createEventDecoder('sse', {
    event: (type, data) => void events.push({ type, data }),
    // An `event: error` is told as a fault; its data is what the client reads.
    fault: ({ message, code }) => {
      events.push({ type: 'error', data: { type: 'error', error: { type: code ?? '', message } } });
    },
    done: () => events.push({ type: '[DONE]', data: {} }),
    skipped: () => events.push({ type: 'skipped', data: {} }),
  });
  decoder.push(bytes);
  decoder.end();
  return events;
}

function run(golden: MessagesGolden): MessagesGolden {
  const { context, request, answer, events } = golden;
  const given = { ...(context && { context }), request };
  const losses = new Losses();
  try {
    const call = messagesToChat.prepare(request, contextFor({ stream: events !== undefined, ...context, losses }));
    const told = { ...given, expected: call.body, warnings: losses.dropped };
    if (events !== undefined) return { ...told, events, written: streamed(call, events) };
    return answer === undefined ? told : { ...told, answer, read: call.answer(answer) };
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    return { ...given, expected: { error: error.message, code: error.code, param: error.param } };
  }
}

/** Each golden as it stands in its file and as the code gives it now; `UPDATE_GOLDEN=1` writes the latter. */
export function goldens(): readonly (readonly [name: string, wanted: MessagesGolden, found: MessagesGolden])[] {
  const names = readdirSync(FOLDER).filter((name) => name.endsWith('.json'));
  return names.sort().map((name) => {
    const file = `${FOLDER}/${name}`;
    const wanted = JSON.parse(readFileSync(file, 'utf8')) as MessagesGolden;
    const found = JSON.parse(JSON.stringify(run(wanted))) as MessagesGolden;
    if (process.env['UPDATE_GOLDEN'] !== '1') return [name, wanted, found];
    writeFileSync(file, `${JSON.stringify(found, null, 2)}\n`);
    return [name, found, found];
  });
}

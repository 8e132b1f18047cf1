import type { JsonObject } from '../../../src/dialects/json-value.js';
import { chatToBedrock } from '../../../src/dialects/translate/chat-to-bedrock/pair.js';
import { Losses } from '../../../src/dialects/translate/losses.js';
import type { PreparedCall, StreamError, TranslationContext } from '../../../src/dialects/translate/translation.js';

export type ConverseEvent = readonly [type: string, data: JsonObject];

export const SONNET = 'eu.anthropic.claude-sonnet-4-5-20250929-v1:0';
export const NOVA = 'us.amazon.nova-lite-v1:0';

export function contextFor(model: string, more: Partial<TranslationContext> = {}): TranslationContext {
  return {
    model,
    stream: false,
    outputCap: null,
    outputCapField: 'max_tokens',
    inputTokens: 7,
    defaultOutputTokens: 4096,
    includeUsage: false,
    id: 'r1',
    created: 1_780_000_000,
    extended: false,
    losses: new Losses(),
    ...more,
  };
}

export interface ConverseCall extends PreparedCall {
  readonly warnings: readonly string[];
}

/** The request as Bedrock would get it. */
export function prepare(request: JsonObject, model = SONNET, more: Partial<TranslationContext> = {}): ConverseCall {
  const context = contextFor(model, more);
  const call = chatToBedrock.prepare(request, context);
  return { ...call, warnings: context.losses.dropped };
}

/** A request of one short message, with `more` at its top level. */
export function ask(more: JsonObject, model?: string, context?: Partial<TranslationContext>): ConverseCall {
  return prepare({ messages: [{ role: 'user', content: 'Hi' }], ...more }, model, context);
}

export interface Written {
  /** The client's events, and `[DONE]`. */
  readonly chunks: readonly unknown[];
  readonly whole: boolean;
}

/** What the client's stream holds for these events; with an error, what it holds when the answer breaks there. */
export function streamed(call: PreparedCall, events: readonly ConverseEvent[], error?: StreamError): Written {
  const chunks: unknown[] = [];
  const out = {
    event: (_type: string, data: JsonObject) => void chunks.push(data),
    done: () => void chunks.push('[DONE]'),
  };
  const translator = call.stream();
  for (const [type, data] of events) translator.event(type, data, out);
  if (error === undefined) return { chunks, whole: translator.end(out) };
  translator.fail(error, out);
  return { chunks, whole: false };
}

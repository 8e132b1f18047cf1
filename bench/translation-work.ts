import type { Wire } from '../src/dialects/endpoint.js';
import { endpointOfWire } from '../src/dialects/endpoints.js';
import { GatewayError } from '../src/dialects/error.js';
import type { Framing } from '../src/dialects/event-decoder.js';
import { createFold, createResponseReader } from '../src/dialects/readers.js';
import { scanRequest } from '../src/dialects/request.js';
import { spliceRequest } from '../src/dialects/splice.js';
import { createClientFraming } from '../src/dialects/translate/client-framing.js';
import { Losses } from '../src/dialects/translate/losses.js';
import { TranslatingStream } from '../src/dialects/translate/translating-stream.js';
import type { Translation, TranslationContext } from '../src/dialects/translate/translation.js';
import { requestOf, type Stream } from './conversations.js';

/** What the service does to a request and to a stream, without the way there. */

const MODELS: Readonly<Partial<Record<Wire, string>>> = {
  'anthropic-messages': 'claude-sonnet-4-5',
  'gemini-generate': 'gemini-2.5-pro',
  'bedrock-converse': 'anthropic.claude-sonnet-4-5-20250929-v1:0',
};

function contextOf({ to }: Translation): TranslationContext {
  return {
    model: MODELS[to] ?? 'gpt-5',
    stream: true,
    outputCap: null,
    outputCapField: 'max_completion_tokens',
    inputTokens: 10,
    defaultOutputTokens: 4096,
    includeUsage: true,
    id: '0123456789abcdef',
    created: 1_800_000_000,
    extended: false,
    losses: new Losses(),
  };
}

/** Reads the client's bytes and writes the provider's; gives how many. */
export function translateRequest(pair: Translation, body: Buffer): number {
  const prepared = pair.prepare(JSON.parse(body.toString()), contextOf(pair));
  return Buffer.from(JSON.stringify(prepared.body)).length;
}

/** The same for a provider that speaks the client's dialect: a look, and another model's name. */
export function passRequest(wire: Wire, body: Buffer): number {
  const facts = scanRequest(endpointOfWire(wire), body, 'application/json');
  if (facts instanceof GatewayError) throw facts;
  return spliceRequest(body, facts, { model: 'm', includeUsage: true }).length;
}

/** A call's stream, event by event as it comes; gives how many bytes the client gets. Throws when it was not whole. */
export function translateStream(pair: Translation, { framing, events }: Stream): number {
  const call = pair.prepare(JSON.parse(requestOf(pair.from, 1).toString()), contextOf(pair));
  const stream = new TranslatingStream({
    framing,
    fold: createFold(pair.to),
    translator: call.stream(),
    client: createClientFraming(pair.from, false),
  });
  let written = 0;
  for (const event of events) written += stream.push(event).length;
  written += stream.end().length;
  if (stream.failed) throw new Error(`${pair.from} to ${pair.to}: ${stream.facts.error ?? 'not whole'}`);
  return written;
}

const CONTENT_TYPES: Readonly<Record<Framing, string>> = {
  sse: 'text/event-stream',
  'aws-event-stream': 'application/vnd.amazon.eventstream',
  'json-array': 'application/json',
};

/** The same for a provider that speaks the client's dialect: its bytes are metered and go on. */
export function passStream(wire: Wire, { framing, events }: Stream): number {
  const reader = createResponseReader(wire, { stream: true, contentType: CONTENT_TYPES[framing] });
  let passed = 0;
  for (const event of events) {
    reader.push(event);
    passed += event.length;
  }
  reader.end();
  if (!reader.facts.terminal) throw new Error(`${wire}: the stream has no end`);
  return passed;
}

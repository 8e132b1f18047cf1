import { decodeWhole } from '../codec/decode-whole.js';
import { bedrockHeaderUsage } from '../dialects/bedrock-embed/usage.js';
import type { Wire } from '../dialects/endpoint.js';
import { GatewayError, renderError } from '../dialects/error.js';
import { isObject, parseJson } from '../dialects/json-value.js';
import { createResponseReader } from '../dialects/readers.js';
import type { HeaderView } from './headers.js';
import type { BodyChange, HeaderPair } from './reply.js';
import type { RequestState } from './state.js';

/** Above it a decoded body is not believed. */
const MAX_BYTES = 64 * 1024 * 1024;

/** Answers of these always have content, or say what they used. */
const WRITES: ReadonlySet<Wire> = new Set<Wire>([
  'openai-chat',
  'anthropic-messages',
  'gemini-generate',
  'bedrock-converse',
]);

export interface TranslatedWhole {
  readonly change: BodyChange;
  /** The client got an error in place of an answer that cannot be read. */
  readonly error: GatewayError | null;
}

/** A whole JSON answer in the client's dialect; metered from the provider's own bytes. Sets `state.response`. */
export function translateWhole(state: RequestState, headers: HeaderView, body: Buffer): TranslatedWhole {
  const attempt = state.open;
  const text = decodeWhole(body, headers.get('content-encoding'), MAX_BYTES);
  if (!attempt?.call || text === null) return failed(state, 'The provider sent an answer that cannot be read.');
  const contentType = headers.get('content-type') ?? '';
  const reader = createResponseReader(attempt.wire, { stream: false, contentType: contentType || 'application/json' });
  reader.push(text);
  reader.end();
  const { facts } = reader;
  // Some models on Bedrock state what they used in headers only.
  const stated =
    facts.usage ?? (attempt.wire === 'bedrock-embed' ? bedrockHeaderUsage((name) => headers.get(name)) : null);
  state.response = { ...facts, usage: stated };
  const value = parseJson(text.toString());
  const answer = Array.isArray(value) ? value[0] : value;
  if (facts.error !== null) return failed(state, facts.error);
  if (!isObject(answer)) return failed(state, 'The provider sent an answer that is no JSON object.');
  if (WRITES.has(attempt.wire) && !facts.content && facts.usage === null && facts.blocked !== true)
    return failed(state, 'The provider sent an answer with nothing in it.');
  const translated = attempt.call.answer(answer, (name) => headers.get(name));
  const set: HeaderPair[] = [['content-type', 'application/json']];
  return { change: { body: Buffer.from(JSON.stringify(translated)), set, remove: ['content-encoding'] }, error: null };
}

function failed(state: RequestState, message: string): TranslatedWhole {
  const error = new GatewayError('provider_error', message);
  const rendered = renderError(error, state.errors, state.id);
  const set: HeaderPair[] = Object.entries(rendered.headers).map(([name, value]) => [name, value]);
  set.push([':status', String(rendered.status)]);
  return { change: { body: rendered.body, set, remove: ['content-encoding'] }, error };
}

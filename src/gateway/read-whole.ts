import { decodeWhole } from '../codec/decode-whole.js';
import { bedrockHeaderUsage } from '../dialects/bedrock-embed/usage.js';
import type { Wire } from '../dialects/endpoint.js';
import { isObject, parseJson } from '../dialects/json-value.js';
import { createResponseReader } from '../dialects/readers.js';
import type { ResponseFacts } from '../dialects/response-reader.js';
import type { AnswerTranslation, HeaderReader } from '../dialects/translate/translation.js';

/** Above it a decoded body is not believed. */
const MAX_BYTES = 64 * 1024 * 1024;

/** Answers of these always have content, or say what they used. */
const WRITES: ReadonlySet<Wire> = new Set<Wire>([
  'openai-chat',
  'anthropic-messages',
  'gemini-generate',
  'bedrock-converse',
]);

export interface WholeAnswer {
  /** What the provider says of the answer; null where its bytes cannot be decoded. */
  readonly facts: ResponseFacts | null;
  /** The client's answer; null where there is none. */
  readonly body: Buffer | null;
  /** Why there is none, for the client; '' where there is one. */
  readonly failure: string;
}

export interface WholeReading {
  readonly wire: Wire;
  readonly header: HeaderReader;
  /** null: no attempt was translated, so nothing can be made of it. */
  readonly call: AnswerTranslation | null;
}

/** Reads a whole JSON answer in another dialect: metered from the provider's own bytes, then translated. */
export function readWhole(body: Buffer, { wire, header, call }: WholeReading): WholeAnswer {
  const text = decodeWhole(body, header('content-encoding'), MAX_BYTES);
  if (call === null || text === null) return failed(null, 'The provider sent an answer that cannot be read.');
  const facts = factsOf(text, wire, header);
  const value = parseJson(text.toString());
  const answer = Array.isArray(value) ? value[0] : value;
  if (facts.error !== null) return failed(facts, facts.error);
  if (!isObject(answer)) return failed(facts, 'The provider sent an answer that is no JSON object.');
  if (WRITES.has(wire) && !facts.content && facts.usage === null && facts.blocked !== true)
    return failed(facts, 'The provider sent an answer with nothing in it.');
  return { facts, body: Buffer.from(JSON.stringify(call.answer(answer, header))), failure: '' };
}

function factsOf(text: Buffer, wire: Wire, header: HeaderReader): ResponseFacts {
  const contentType = header('content-type') ?? '';
  const reader = createResponseReader(wire, { stream: false, contentType: contentType || 'application/json' });
  reader.push(text);
  reader.end();
  const { facts } = reader;
  // Some models on Bedrock state what they used in headers only.
  return { ...facts, usage: facts.usage ?? (wire === 'bedrock-embed' ? bedrockHeaderUsage(header) : null) };
}

function failed(facts: ResponseFacts | null, failure: string): WholeAnswer {
  return { facts, body: null, failure };
}

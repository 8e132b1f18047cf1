import { EventStreamCodec } from '@smithy/eventstream-codec';
import { type Recording, recordedBytes } from '../../../src/mock/recording.js';
import { EXPECTED } from './stated-usage.js';

/** Why an answer ended, in OpenAI's words. */
export type Finish = 'stop' | 'length' | 'tool_calls' | 'content_filter';

export interface Call {
  readonly name: string;
  readonly arguments: unknown;
}

/** What an answer says, in no dialect: what a recording holds, and what a client has read. */
export interface Said {
  readonly text: string;
  /** Why nothing was said, in words that some dialects keep apart from text and others do not have. */
  readonly refusal?: string;
  readonly calls: readonly Call[];
  readonly finish: Finish | null;
  /** Tokens with everything around caches; null: not stated. */
  readonly input: number | null;
  /** Tokens with thoughts. */
  readonly output: number | null;
}

interface Content {
  readonly text: string;
  readonly refusal?: string;
  readonly calls: readonly Call[];
  readonly finish: unknown;
}

// biome-ignore lint/suspicious/noExplicitAny: recordings are read as they are
type Json = any;

/** Read apart from everything in `src`, on purpose. */
export function saidBy(recording: Recording): Said {
  const dialect = DIALECTS[recording.endpoint];
  if (dialect === undefined) throw new Error(`${recording.id}: nobody reads ${recording.endpoint}`);
  const { text, refusal = '', calls, finish } = dialect.content(recording);
  const word = FINISHES[String(finish)] ?? null;
  const stated = recording.expect.usage;
  const tokens = stated === null ? null : EXPECTED[dialect.usage](stated);
  return {
    text,
    refusal,
    calls,
    finish: word === 'stop' && calls.length > 0 ? 'tool_calls' : word,
    input: tokens?.input ?? null,
    output: tokens?.output ?? null,
  };
}

const DIALECTS: Readonly<
  Record<string, { readonly usage: keyof typeof EXPECTED; content(recording: Recording): Content }>
> = {
  'anthropic.messages': { usage: 'anthropic', content: anthropicContent },
  'bedrock.converse': { usage: 'bedrock', content: converseContent },
  'bedrock.converseStream': { usage: 'bedrock', content: converseContent },
  'gemini.generateContent': { usage: 'gemini', content: geminiContent },
  'gemini.streamGenerateContent': { usage: 'gemini', content: geminiContent },
  'openai.chat': { usage: 'openai', content: chatContent },
};

/** Providers' words, also by number where a client library wrote them so. */
const FINISHES: Readonly<Record<string, Finish>> = {
  stop: 'stop',
  length: 'length',
  tool_calls: 'tool_calls',
  content_filter: 'content_filter',
  end_turn: 'stop',
  stop_sequence: 'stop',
  max_tokens: 'length',
  tool_use: 'tool_calls',
  refusal: 'content_filter',
  content_filtered: 'content_filter',
  guardrail_intervened: 'content_filter',
  STOP: 'stop',
  1: 'stop',
  MAX_TOKENS: 'length',
  SAFETY: 'content_filter',
  MODEL_ARMOR: 'content_filter',
};

function parsed(text: string): unknown {
  return text === '' ? {} : JSON.parse(text);
}

/** The events of a stream, or the one body. */
function partsOf(recording: Recording): readonly Json[] {
  const bytes = recordedBytes(recording);
  if (recording.response.base64 !== undefined) return framesIn(bytes);
  if (!recording.stream || recording.features.includes('json-array-stream')) {
    const body: Json = JSON.parse(bytes.toString());
    return Array.isArray(body) ? body : [body];
  }
  const data = bytes.toString().matchAll(/^data: ?(.*?)\r?$/gm);
  return [...data].flatMap(([, text = '']) => (text.startsWith('{') ? [JSON.parse(text)] : []));
}

function framesIn(bytes: Buffer): readonly Json[] {
  const codec = new EventStreamCodec(
    (text) => Buffer.from(text).toString(),
    (text) => Buffer.from(text),
  );
  const events: Json[] = [];
  for (let at = 0; at < bytes.length; at += bytes.readUInt32BE(at)) {
    const { headers, body } = codec.decode(bytes.subarray(at, at + bytes.readUInt32BE(at)));
    events.push({ [String(headers[':event-type']?.value)]: JSON.parse(Buffer.from(body).toString()) });
  }
  return events;
}

interface Growing {
  name: string | null;
  text: string;
  whole: unknown;
}

const callsOf = (blocks: Iterable<Growing>): Call[] =>
  [...blocks].flatMap(({ name, text, whole }) =>
    name === null ? [] : [{ name, arguments: text === '' && whole !== undefined ? whole : parsed(text) }],
  );

function anthropicContent(recording: Recording): Content {
  const blocks: Growing[] = [];
  let text = '';
  let finish: unknown = null;
  let refusal = '';
  for (const part of partsOf(recording)) {
    refusal += (part.stop_details ?? part.delta?.stop_details)?.explanation ?? '';
    const started: Json[] = part.content ?? (part.content_block ? [part.content_block] : []);
    for (const block of started) {
      blocks.push({ name: block.type === 'tool_use' ? block.name : null, text: '', whole: block.input });
      text += block.type === 'text' ? block.text : '';
    }
    text += part.delta?.type === 'text_delta' ? part.delta.text : '';
    const grown = blocks[part.index];
    if (grown) grown.text += part.delta?.partial_json ?? '';
    finish = part.stop_reason ?? part.delta?.stop_reason ?? finish;
  }
  return { text, refusal, calls: callsOf(blocks), finish };
}

function converseContent(recording: Recording): Content {
  const blocks = new Map<number, Growing>();
  let text = '';
  let finish: unknown = null;
  for (const part of partsOf(recording)) {
    for (const [index, block] of (part.output?.message?.content ?? []).entries()) {
      text += block.text ?? '';
      if (isOwnCall(block.toolUse))
        blocks.set(index, { name: block.toolUse.name, text: '', whole: block.toolUse.input });
    }
    const start = part.contentBlockStart;
    if (isOwnCall(start?.start?.toolUse)) {
      blocks.set(start.contentBlockIndex, { name: start.start.toolUse.name, text: '', whole: undefined });
    }
    const delta = part.contentBlockDelta;
    text += delta?.delta?.text ?? '';
    const grown = blocks.get(delta?.contentBlockIndex);
    if (grown) grown.text += delta.delta.toolUse?.input ?? '';
    finish = part.stopReason ?? part.messageStop?.stopReason ?? finish;
  }
  return { text, calls: callsOf(blocks.values()), finish };
}

/** Tools that AWS runs itself are called and answered within the answer. */
function isOwnCall(use: Json): boolean {
  return use !== undefined && use.type !== 'server_tool_use';
}

function geminiContent(recording: Recording): Content {
  const calls: { name: string; arguments: Json }[] = [];
  let text = '';
  let finish: unknown = null;
  let refusal = '';
  for (const part of partsOf(recording)) {
    refusal += part.promptFeedback?.blockReasonMessage ?? '';
    const candidate = part.candidates?.[0];
    for (const piece of candidate?.content?.parts ?? []) {
      if (piece.thought !== true) text += piece.text ?? '';
      const call = piece.functionCall;
      if (call?.name) calls.push({ name: call.name, arguments: call.args ?? {} });
      for (const grown of call?.partialArgs ?? []) append(calls.at(-1)?.arguments, grown.jsonPath, grown.stringValue);
    }
    finish = candidate?.finishReason ?? part.promptFeedback?.blockReason ?? finish;
  }
  return { text, refusal, calls, finish };
}

/** `$.recipe.steps[2]` grows by a text. */
function append(root: Json, path: string, text: string): void {
  const steps = [...path.matchAll(/[^.$[\]]+/g)].map(([step]) => step);
  let at = root;
  for (const [index, step] of steps.entries()) {
    const next = steps[index + 1];
    if (next === undefined) at[step] = (at[step] ?? '') + text;
    else at[step] ??= /^\d+$/.test(next) ? [] : {};
    at = at[step];
  }
}

function chatContent(recording: Recording): Content {
  const blocks = new Map<unknown, Growing>();
  let text = '';
  let finish: unknown = null;
  for (const part of partsOf(recording)) {
    const choice = part.choices?.find((each: Json) => (each.index ?? 0) === 0);
    const message = choice?.message ?? choice?.delta;
    text += textOf(message?.content);
    for (const [at, call] of (message?.tool_calls ?? []).entries()) {
      const key = call.index ?? at;
      const known = blocks.get(key) ?? { name: call.function?.name ?? '', text: '', whole: undefined };
      known.text += call.function?.arguments ?? '';
      blocks.set(key, known);
    }
    finish = choice?.finish_reason ?? finish;
  }
  return { text, calls: callsOf(blocks.values()), finish };
}

/** Mistral's reasoning models write lists. */
function textOf(content: Json): string {
  if (!Array.isArray(content)) return content ?? '';
  return content.map((part: Json) => (part.type === 'text' ? part.text : '')).join('');
}

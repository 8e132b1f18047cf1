import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Wire } from '../../src/dialects/endpoint.js';
import type { JsonObject } from '../../src/dialects/json-value.js';

/** One recorded call, as far as the tests need it. */
export interface Recording {
  readonly id: string;
  readonly provider: string;
  /** As the recording names it: `anthropic.messages`, `bedrock.invokeStream`. */
  readonly endpoint: string;
  readonly wire: Wire;
  readonly status: number;
  readonly contentType: string;
  /** The answer's bytes; JSON answers were kept parsed and are written again. */
  readonly bytes: Buffer;
  readonly streamed: boolean;
  readonly features: readonly string[];
  readonly usage: JsonObject | null;
  readonly finishReason: string | null;
  /** Where it was asked, with the query. */
  readonly path: string;
  readonly request: unknown;
}

interface RecordingFile {
  readonly id: string;
  readonly provider: string;
  readonly endpoint: string;
  readonly features: readonly string[];
  readonly request: { readonly body: unknown; readonly path: string };
  readonly response: {
    readonly status: number;
    readonly headers: Readonly<Record<string, string>>;
    readonly raw?: string;
    readonly base64?: string;
    readonly body?: unknown;
  };
  readonly expect: { readonly usage: JsonObject | null; readonly finish_reason: string | null };
}

/** Beside the checkout, which lies three folders above the compiled test. */
const FOLDER = fileURLToPath(new URL('../../../../shared/recordings', import.meta.url));

/** Where the recordings lie; null on machines that do not have them. They are no part of the repository. */
export function recordingsFolder(): string | null {
  return existsSync(FOLDER) ? FOLDER : null;
}

/** The `skip` of a test that is nothing without recordings: why it does not run here, or false. */
export const NO_RECORDINGS: string | false =
  recordingsFolder() === null && 'needs recordings of providers in ../shared/recordings';

/** All recordings of OpenAI dialects; empty where there are none. */
export function openaiRecordings(): readonly Recording[] {
  const folder = recordingsFolder();
  if (folder === null) return [];
  return allRecordings().filter((recording) => recording.endpoint.startsWith('openai.'));
}

/** The recordings of every dialect. */
export function allRecordings(): readonly Recording[] {
  const folder = recordingsFolder();
  if (folder === null) return [];
  const names = readdirSync(folder).filter((name) => name.endsWith('.json'));
  return names.map((name) => load(`${folder}/${name}`)).filter((recording) => recording !== null);
}

const WIRES: Readonly<Record<string, Wire>> = {
  'anthropic.messages': 'anthropic-messages',
  'anthropic.count_tokens': 'anthropic-count-tokens',
  'bedrock.converse': 'bedrock-converse',
  'bedrock.converseStream': 'bedrock-converse',
  'bedrock.countTokens': 'bedrock-count-tokens',
  // Claude's own dialect inside AWS' frames, but for a few models that have their own.
  'bedrock.invoke': 'anthropic-messages',
  'bedrock.invokeStream': 'anthropic-messages',
  'cohere.embed': 'cohere-embed',
  'cohere.chat': 'raw',
  'gemini.generateContent': 'gemini-generate',
  'gemini.streamGenerateContent': 'gemini-generate',
  'gemini.countTokens': 'gemini-count-tokens',
  'gemini.embedContent': 'gemini-embed',
  'gemini.batchEmbedContents': 'gemini-embed',
  'gemini.predict': 'vertex-predict',
};

function load(path: string): Recording | null {
  const file = JSON.parse(readFileSync(path, 'utf8')) as RecordingFile;
  const wire = file.endpoint?.startsWith('openai.') ? file.endpoint.replace('.', '-') : WIRES[file.endpoint];
  if (wire === undefined) return null;
  const { raw, base64, body, status, headers } = file.response;
  return {
    id: file.id,
    provider: file.provider,
    endpoint: file.endpoint,
    wire: wire as Wire,
    status,
    contentType: headers['content-type'] ?? '',
    bytes: base64 ? Buffer.from(base64, 'base64') : Buffer.from(raw ?? JSON.stringify(body)),
    streamed: Boolean(raw ?? base64),
    features: file.features,
    usage: file.expect.usage,
    finishReason: file.expect.finish_reason,
    path: file.request.path,
    request: file.request.body,
  };
}

/** Ways to cut an answer: whole, one byte each, three bytes each, inside every character and CRLF, at random places. */
export function cuttings(bytes: Buffer): readonly (readonly Buffer[])[] {
  const inside: number[] = [];
  for (let at = 1; at < bytes.length; at += 1) {
    const byte = bytes[at] ?? 0;
    if ((byte & 0xc0) === 0x80 || (byte === 0x0a && bytes[at - 1] === 0x0d)) inside.push(at);
  }
  const random: number[] = [];
  let state = bytes.length;
  for (let at = 0; at < bytes.length; ) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    at += 1 + (state % 700);
    random.push(Math.min(at, bytes.length));
  }
  return [[bytes], everyBytes(bytes, 1), everyBytes(bytes, 3), cutAt(bytes, inside), cutAt(bytes, random)];
}

function everyBytes(bytes: Buffer, size: number): readonly Buffer[] {
  const places = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) => index * size);
  return cutAt(bytes, places.slice(1));
}

export function cutAt(bytes: Buffer, places: readonly number[]): readonly Buffer[] {
  const ends = [...places, bytes.length];
  return ends.map((end, index) => bytes.subarray(index === 0 ? 0 : ends[index - 1], end));
}

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JsonObject } from './json.js';

/** One recorded call to a real provider; the fields that a replay and its checks need. */
export interface Recording {
  readonly id: string;
  readonly provider: string;
  /** `openai.chat`, `openai.responses`… */
  readonly endpoint: string;
  readonly stream: boolean;
  readonly features: readonly string[];
  readonly request: { readonly method: string; readonly path: string; readonly body: JsonObject | null };
  readonly response: {
    readonly status: number;
    readonly headers: Readonly<Record<string, string>>;
    readonly body?: unknown;
    readonly raw?: string;
    readonly base64?: string;
  };
  readonly expect: { readonly usage: JsonObject | null; readonly finish_reason: string | null };
}

/** All recordings of a directory, by file name. Throws when a file is not JSON. */
export function loadRecordings(directory: string): Recording[] {
  return readdirSync(directory)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => JSON.parse(readFileSync(join(directory, name), 'utf8')) as Recording);
}

/** The bytes that the provider sent. A `body` kept as JSON is serialised the same way each time. */
export function recordedBytes(recording: Recording): Buffer {
  const { raw, base64, body } = recording.response;
  if (raw !== undefined) return Buffer.from(raw);
  if (base64 !== undefined) return Buffer.from(base64, 'base64');
  return Buffer.from(JSON.stringify(body));
}

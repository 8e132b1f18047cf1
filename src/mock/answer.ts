import { createHash } from 'node:crypto';
import type { JsonObject } from './json.js';
import type { Behaviour } from './models.js';

/** A request to the mock, read whole. */
export interface MockRequest {
  readonly body: JsonObject;
  readonly model: string;
  readonly behaviour: Behaviour;
  /** Deterministic from the request's bytes: equal requests get equal ids. Hex, 24 characters. */
  readonly id: string;
  /** Epoch seconds. */
  readonly created: number;
  /** The uploaded file of a multipart request. */
  readonly file: { readonly name: string; readonly bytes: number } | null;
  /** A header by its lower-case name; '' when it was not sent. */
  header(name: string): string;
}

/** An answer before delivery. `delivery.ts` applies faults and pace. */
export type MockAnswer =
  | {
      readonly kind: 'whole';
      readonly status: number;
      readonly headers: Readonly<Record<string, string>>;
      readonly body: Buffer;
    }
  | {
      readonly kind: 'stream';
      /** Complete events in the framing of the dialect (SSE: each with its blank line); made one by one. */
      readonly events: Iterable<string | Buffer>;
      /** Sent where a stream breaks off with an error. */
      readonly errorEvent: string | Buffer;
      /** Default: server-sent events. */
      readonly contentType?: string;
      /** Events before the breaking models break, so that some content has gone out; default 3. */
      readonly brokenAfter?: number;
    };

export type Answerer = (request: MockRequest) => MockAnswer;

export function jsonAnswer(body: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): MockAnswer {
  return {
    kind: 'whole',
    status,
    headers: { 'content-type': 'application/json', ...headers },
    body: Buffer.from(JSON.stringify(body)),
  };
}

export interface MockError {
  readonly status: number;
  readonly message: string;
  readonly type: string;
  readonly code: string | null;
  readonly param?: string | null;
}

/** OpenAI's error shape. */
export function errorAnswer(error: MockError, headers: Readonly<Record<string, string>> = {}): MockAnswer {
  const { status, message, type, code, param = null } = error;
  return jsonAnswer({ error: { message, type, param, code } }, status, headers);
}

/** 24 hex digits from the bytes of a request. */
export function idOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 24);
}

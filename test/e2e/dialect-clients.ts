import { type Open, opened, type Received } from './client.js';
import type { Gateway } from './harness.js';

/** The four dialects that apps speak, as far as tests ask and read them by hand. */
export const CLIENTS = ['chat', 'responses', 'messages', 'gemini'] as const;
export type Client = (typeof CLIENTS)[number];

/** What a stream said to its client. */
export interface ReadStream {
  readonly text: string;
  /** It ended as streams of this dialect end when all is well. */
  readonly ended: boolean;
  /** The error event, if there was one. */
  readonly error: unknown;
  /** Input and output tokens as the client was told; null = it was not. */
  readonly usage: readonly [input: number, output: number] | null;
}

interface Question {
  readonly path: string;
  readonly body: Readonly<Record<string, unknown>>;
}

type Events = readonly Readonly<Record<string, unknown>>[];

interface Dialect {
  ask(model: string, stream: boolean): Question;
  /** Deep members of a parsed event or body, whatever is missing is undefined. */
  read(events: Events, raw: string): ReadStream;
  textOf(body: unknown): unknown;
}

const MESSAGES = [{ role: 'user', content: 'hello' }];

/** Follows a path through anything. */
export function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  let found: unknown = value;
  for (const part of path) found = found === null || found === undefined ? undefined : Reflect.get(Object(found), part);
  return found;
}

function words(events: Events, ...path: readonly (string | number)[]): string {
  return events.map((event) => at(event, ...path) ?? '').join('');
}

function last(events: Events, ...path: readonly (string | number)[]): unknown {
  return events.map((event) => at(event, ...path)).findLast((value) => value !== undefined && value !== null);
}

function pair(usage: unknown, input: string, output: string): ReadStream['usage'] {
  return usage === undefined ? null : [Number(at(usage, input)), Number(at(usage, output))];
}

const DIALECTS: Readonly<Record<Client, Dialect>> = {
  chat: {
    ask: (model, stream) => ({
      path: '/v1/chat/completions',
      body: { model, messages: MESSAGES, ...(stream ? { stream, stream_options: { include_usage: true } } : {}) },
    }),
    read: (events, raw) => ({
      text: words(events, 'choices', 0, 'delta', 'content'),
      ended: /\[DONE\]/.test(raw) || last(events, 'choices', 0, 'finish_reason') !== undefined,
      error: last(events, 'error'),
      usage: pair(last(events, 'usage'), 'prompt_tokens', 'completion_tokens'),
    }),
    textOf: (body) => at(body, 'choices', 0, 'message', 'content'),
  },
  responses: {
    ask: (model, stream) => ({ path: '/v1/responses', body: { model, input: 'hello', store: false, stream } }),
    read: (events) => ({
      text: words(
        events.filter((event) => event['type'] === 'response.output_text.delta'),
        'delta',
      ),
      ended: events.some((event) => /^response\.(?:completed|incomplete)$/.test(String(event['type']))),
      error:
        events.find((event) => event['type'] === 'error') ?? last(events, 'response', 'error', 'message') ?? undefined,
      usage: pair(last(events, 'response', 'usage'), 'input_tokens', 'output_tokens'),
    }),
    textOf: (body) => at(body, 'output', 0, 'content', 0, 'text'),
  },
  messages: {
    ask: (model, stream) => ({ path: '/v1/messages', body: { model, messages: MESSAGES, max_tokens: 100, stream } }),
    read: (events) => ({
      text: words(events, 'delta', 'text'),
      ended: events.some((event) => event['type'] === 'message_stop' || at(event, 'delta', 'stop_reason')),
      error: last(events, 'error'),
      usage: pair(
        { ...Object(last(events, 'message', 'usage')), ...Object(last(events, 'usage')) },
        'input_tokens',
        'output_tokens',
      ),
    }),
    textOf: (body) => at(body, 'content', 0, 'text'),
  },
  gemini: {
    ask: (model, stream) => ({
      path: `/v1beta/models/${model}:${stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`,
      body: { contents: [{ role: 'user', parts: [{ text: 'hello' }] }] },
    }),
    read: (events) => ({
      text: words(events, 'candidates', 0, 'content', 'parts', 0, 'text'),
      ended: last(events, 'candidates', 0, 'finishReason') !== undefined,
      error: last(events, 'error'),
      usage: pair(last(events, 'usageMetadata'), 'promptTokenCount', 'candidatesTokenCount'),
    }),
    textOf: (body) => at(body, 'candidates', 0, 'content', 'parts', 0, 'text'),
  },
};

export function question(client: Client, model: string, stream: boolean): Question {
  return DIALECTS[client].ask(model, stream);
}

/** Asks in the client's dialect; resolves at the headers. `more` is put into the body. */
export function open(
  gateway: Gateway,
  client: Client,
  model: string,
  { stream, headers = {}, more = {} }: Asking,
): Promise<Open> {
  const { path, body } = question(client, model, stream);
  return opened(gateway.url + path, {
    headers: { authorization: `Bearer ${gateway.key}`, ...headers },
    body: JSON.stringify({ ...body, ...more }),
  });
}

export interface Asking {
  readonly stream: boolean;
  readonly headers?: Readonly<Record<string, string>>;
  readonly more?: Readonly<Record<string, unknown>>;
}

export async function ask(gateway: Gateway, client: Client, model: string, asking: Asking): Promise<Received> {
  return (await open(gateway, client, model, asking)).finished();
}

export function readStream(client: Client, text: string): ReadStream {
  const lines = text.split(/\r?\n/).filter((line) => line.startsWith('data: {'));
  return DIALECTS[client].read(
    lines.map((line) => JSON.parse(line.slice('data: '.length)) as Record<string, unknown>),
    text,
  );
}

/** The words of a whole answer. */
export function textOf(client: Client, body: string): unknown {
  return DIALECTS[client].textOf(JSON.parse(body));
}

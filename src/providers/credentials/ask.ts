import { oneLine } from '../../observability/redact.js';
import { type AcquireContext, AcquireError } from './acquire.js';

export interface Question {
  readonly method?: 'GET' | 'POST' | 'PUT';
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as a form. */
  readonly form?: Readonly<Record<string, string>>;
  /** Sent as it is. */
  readonly body?: string;
}

export interface Answer {
  readonly text: string;
  readonly headers: Headers;
}

const TIMEOUT_MS = 10_000;
const LONGEST_ANSWER = 262_144;
const LONGEST_REASON = 300;

/** Asks a token server or a metadata server. Follows no redirect: its place must not get what is sent. */
export async function ask(context: AcquireContext, url: string, question: Question): Promise<Answer> {
  const { host } = trusted(url);
  const { status, text, headers } = await exchange(context, url, question);
  if (status >= 200 && status < 300) return { text, headers };
  const reason = reasonIn(text, question);
  throw new AcquireError(`${host} answered ${status}${reason === '' ? '' : `: ${reason}`}`);
}

/** The same, where the answer is one JSON object. */
export async function askJson(
  context: AcquireContext,
  url: string,
  question: Question,
): Promise<Readonly<Record<string, unknown>>> {
  const { text } = await ask(context, url, question);
  const value = parseObject(text);
  if (value === null) throw new AcquireError(`${new URL(url).host} answered something that is no JSON object`);
  return value;
}

export function parseObject(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
}

/** Text that must be there. */
export function textIn(answer: Readonly<Record<string, unknown>>, name: string, from: string): string {
  const value = answer[name];
  if (typeof value !== 'string' || value === '') throw new AcquireError(`${from} answered without "${name}"`);
  return value;
}

/** Epoch milliseconds of a life in seconds, as a number or as text; null when it is not said. */
export function endOfLife(seconds: unknown, now: number): number | null {
  const life = typeof seconds === 'string' && seconds !== '' ? Number(seconds) : seconds;
  return typeof life === 'number' && Number.isFinite(life) && life > 0 ? now + life * 1000 : null;
}

/** Epoch milliseconds of an RFC 3339 time; null when it is none. */
export function timeIn(text: unknown): number | null {
  const time = typeof text === 'string' ? Date.parse(text) : Number.NaN;
  return Number.isNaN(time) ? null : time;
}

/** Names that lead to this machine, or to the link that it is on: metadata servers speak plain HTTP there. */
const NEAR =
  /^(localhost|127(\.\d{1,3}){3}|\[::1\]|169\.254(\.\d{1,3}){2}|\[fd00:ec2::(23|254)\]|metadata(\.google\.internal)?)$/;

/** Secrets leave over TLS, or not at all. */
export function trusted(url: string): URL {
  if (!URL.canParse(url)) throw new AcquireError(`${oneLine(url).slice(0, 200)} is no URL`);
  const parsed = new URL(url);
  const isNear = parsed.protocol === 'http:' && NEAR.test(parsed.hostname);
  if (parsed.protocol !== 'https:' && !isNear) throw new AcquireError(`${parsed.host} must be reached over https://`);
  return parsed;
}

async function exchange(context: AcquireContext, url: string, question: Question) {
  const { method = 'GET', headers = {}, form, body } = question;
  const signal = AbortSignal.any([context.signal, AbortSignal.timeout(TIMEOUT_MS)]);
  try {
    const response = await context.fetch(url, {
      method,
      headers: {
        accept: 'application/json',
        ...(form === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
        ...headers,
      },
      ...(form === undefined ? {} : { body: new URLSearchParams(form).toString() }),
      ...(body === undefined ? {} : { body }),
      signal,
      redirect: 'manual',
    });
    return { status: response.status, text: await boundedText(response, new URL(url).host), headers: response.headers };
  } catch (error) {
    if (error instanceof AcquireError) throw error;
    throw new AcquireError(`${new URL(url).host} ${failureOf(error)}`);
  }
}

async function boundedText(response: Response, host: string): Promise<string> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of response.body ?? []) {
    length += piece.length;
    if (length > LONGEST_ANSWER) throw new AcquireError(`${host} answered too much`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}

/** Node's `fetch` hides the system's code in the cause. */
function failureOf(error: unknown): string {
  if (!(error instanceof Error)) return 'cannot be reached';
  if (error.name === 'TimeoutError') return `did not answer within ${TIMEOUT_MS / 1000} s`;
  const code = error.cause instanceof Error && 'code' in error.cause ? ` (${String(error.cause.code)})` : '';
  return `cannot be reached${code}`;
}

/** What OAuth, Microsoft, Google and AWS (XML) say about a refusal; without what was sent, should it be repeated. */
function reasonIn(text: string, { form = {}, headers = {} }: Question): string {
  const body = parseObject(text);
  const inner = body?.['error'];
  const details =
    typeof inner === 'object' && inner !== null
      ? [Reflect.get(inner, 'status'), Reflect.get(inner, 'message')]
      : [
          inner,
          body?.['error_description'],
          body?.['code'],
          body?.['message'],
          xmlText(text, 'Code'),
          xmlText(text, 'Message'),
        ];
  const said = details.filter((detail) => typeof detail === 'string' && detail !== '').join(': ');
  const headerValues = Object.values(headers).map((value) => value.replace(/^Bearer /, ''));
  const sent = [...Object.values(form), ...headerValues].filter((value) => value.length >= 8);
  const clean = sent.reduce((left, value) => left.replaceAll(value, '…'), said);
  return oneLine(clean).slice(0, LONGEST_REASON).trim();
}

/** The text of the first element of that name; null when there is none. Only for STS' flat answers. */
export function xmlText(xml: string, name: string): string | null {
  const start = xml.indexOf(`<${name}>`);
  const end = start < 0 ? -1 : xml.indexOf(`</${name}>`, start);
  if (end < 0) return null;
  const text = xml.slice(start + name.length + 2, end).trim();
  return text.replace(/&(lt|gt|quot|apos|amp);/g, (_, entity: string) => ENTITIES[entity] ?? '');
}

const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' };

import { isObject, type JsonObject, listIn, parseJson, stringIn } from './json-value.js';

export type ProviderErrorKind =
  | 'auth'
  | 'rate_limit'
  | 'context_length'
  | 'content_filter'
  | 'not_found'
  | 'invalid'
  | 'server'
  | 'unknown';

/** What a provider said when it refused or failed. */
export interface ProviderError {
  readonly status: number;
  /** At most 2,000 characters; null when the body says nothing readable. */
  readonly message: string | null;
  readonly code: string | null;
  readonly type: string | null;
  readonly param: string | null;
  readonly kind: ProviderErrorKind;
  /** The body already is `{"error":{"message":"…"}}`: it may go to an OpenAI client byte by byte. */
  readonly openaiShape: boolean;
  /** `retry-after` and `retry-after-ms` as they came. */
  readonly retry: Readonly<Record<string, string>>;
}

/** Headers by lower-case name. */
export type HeaderMap = Readonly<Record<string, string | undefined>>;

interface Said {
  readonly message: string | null;
  readonly code: string | null;
  readonly type: string | null;
  readonly param: string | null;
  readonly openaiShape: boolean;
}

const MAX_MESSAGE = 2000;
const SILENT: Said = { message: null, code: null, type: null, param: null, openaiShape: false };

/**
 * Reads an error answer of any OpenAI-compatible provider (reference: providers.md, table 1a). The content type is not
 * trusted: DeepSeek sends JSON as octet-stream, proxies send HTML as anything.
 * @param body identity-encoded, may be cut at the end
 */
export function readProviderError(status: number, headers: HeaderMap, body: Buffer): ProviderError {
  const said = readBody(body);
  const retry: Record<string, string> = {};
  for (const name of ['retry-after', 'retry-after-ms']) {
    const value = headers[name];
    if (value !== undefined && /^[\w :,.+-]{1,64}$/.test(value)) retry[name] = value;
  }
  return { status, ...said, kind: classify(status, said), retry };
}

function readBody(body: Buffer): Said {
  const text = body.toString('utf8', 0, 64 * 1024).trim();
  const value = /^[[{"]/.test(text) ? parseJson(text) : undefined;
  if (value !== undefined) return readJson(value);
  return text === '' || /^[<{[]/.test(text) ? SILENT : { ...SILENT, message: shorten(text) };
}

function readJson(value: unknown): Said {
  if (typeof value === 'string') return { ...SILENT, message: shorten(value) };
  // Google's OpenAI endpoint wraps the object in a list.
  if (Array.isArray(value))
    return value.length > 0 && isObject(value[0]) ? { ...readJson(value[0]), openaiShape: false } : SILENT;
  if (!isObject(value)) return SILENT;
  const inner = value['error'];
  if (isObject(inner)) {
    const said = readObject(inner);
    return { ...said, openaiShape: typeof inner['message'] === 'string' };
  }
  const outer = readObject(value);
  // xAI and Ollama: the error is the text itself, the code stands beside it.
  return typeof inner === 'string' ? { ...outer, message: shorten(inner) } : outer;
}

/** `{message, type, param, code}` at either level; also `detail` (FastAPI, Mistral, Voyage). */
function readObject(value: JsonObject): Said {
  const status = stringIn(value, 'status');
  return {
    message: messageOf(value['message']) ?? messageOf(value['detail']) ?? null,
    code: codeOf(value['code']) ?? null,
    type: stringIn(value, 'type') ?? status,
    param: stringIn(value, 'param'),
    openaiShape: false,
  };
}

function messageOf(value: unknown): string | null {
  if (typeof value === 'string') return value === '' ? null : shorten(value);
  if (Array.isArray(value)) {
    const lines = value.slice(0, 10).map(validationLine);
    return shorten(lines.filter((line) => line !== '').join('; ')) || null;
  }
  if (!isObject(value)) return null;
  return messageOf(value['detail']) ?? messageOf(value['message']);
}

/** One entry of FastAPI's `detail`: `{loc: ["body","model"], msg: "Field required"}` → `body.model: Field required`. */
function validationLine(entry: unknown): string {
  const text = stringIn(entry, 'msg') ?? (typeof entry === 'string' ? entry : '');
  const place = listIn(entry, 'loc').join('.');
  return place === '' || text === '' ? text : `${place}: ${text}`;
}

function codeOf(value: unknown): string | null {
  if (typeof value === 'string' && value !== '') return value.slice(0, 128);
  return typeof value === 'number' ? String(value) : null;
}

function shorten(text: string): string {
  return text.length <= MAX_MESSAGE ? text : `${text.slice(0, MAX_MESSAGE - 1)}…`;
}

const AUTH_CODE =
  /^(?:invalid_api_key|api_key_invalid|invalid_authentication.*|authentication_error|authenticationerror|unauthorized|unauthenticated|permission_denied|permissiondenied|account_deactivated|access_denied|accessdenied|401|403)$/i;
const CREDENTIAL = `(?:api[ _-]?key|apikey|access[ _-]?token|bearer token|credentials?|authorization header|auth(?:entication)? token|subscription key)`;
const BLAME = `(?:invalid|incorrect|not valid|wrong|missing|expired|revoked|disabled|deactivated|malformed|unauthori[sz]ed|not found|not recogni[sz]ed|no|provide|required|leaked|suspended)`;
/** Blame and credential in one short phrase, either way round. */
const AUTH_TEXT = new RegExp(
  String.raw`\b${BLAME}\b[^.\n]{0,30}\b${CREDENTIAL}\b|\b${CREDENTIAL}\b[^.\n]{0,40}\b${BLAME}\b`,
  'i',
);
const CONTEXT_TEXT =
  /context[ _-]?(?:length|window)|maximum (?:context|input)|prompt is too long|too many (?:input )?tokens|reduce the length/i;
const FILTER_TEXT =
  /content[ _-]?(?:filter|policy|management policy)|responsibleaipolicy|moderation|safety (?:system|policy)/i;

/** First rule that fits wins. Credential first: such an answer must never look like the client's mistake. */
function classify(status: number, said: Said): ProviderErrorKind {
  const words = `${said.code ?? ''} ${said.type ?? ''} ${(said.message ?? '').slice(0, 400)}`;
  if (blamesCredential(status, said)) return 'auth';
  if (status === 429) return 'rate_limit';
  if (status >= 500) return 'server';
  if (status === 404 || said.code === 'model_not_found') return 'not_found';
  if (CONTEXT_TEXT.test(words)) return 'context_length';
  if (FILTER_TEXT.test(words)) return 'content_filter';
  if (said.code !== null && /^rate_limit/.test(said.code)) return 'rate_limit';
  return [400, 409, 413, 422].includes(status) ? 'invalid' : 'unknown';
}

function blamesCredential(status: number, said: Said): boolean {
  if (status === 401 || status === 403) return true;
  if (AUTH_CODE.test(said.code ?? '') || AUTH_CODE.test(said.type ?? '')) return true;
  // A 429 often names the key that is limited ("for this API key"): that is no blame.
  return status !== 429 && said.message !== null && AUTH_TEXT.test(said.message.slice(0, 400));
}

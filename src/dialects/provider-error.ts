import type { ErrorShape } from './endpoint.js';
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
  /** The dialect in which the body is an error already: a client of it may get the body byte by byte. */
  readonly shape: ErrorShape | null;
  /** `retry-after` and `retry-after-ms` as they came; Google says it in the body. */
  readonly retry: Readonly<Record<string, string>>;
}

/** Headers by lower-case name. */
export type HeaderMap = Readonly<Record<string, string | undefined>>;

interface Said {
  readonly message: string | null;
  readonly code: string | null;
  readonly type: string | null;
  readonly param: string | null;
  readonly shape: ErrorShape | null;
  /** Google's `details[].reason` and `details[].retryDelay`. */
  readonly reason: string | null;
  readonly retryDelay: string | null;
}

const MAX_MESSAGE = 2000;
const SILENT: Said = {
  message: null,
  code: null,
  type: null,
  param: null,
  shape: null,
  reason: null,
  retryDelay: null,
};

/**
 * Reads an error answer of any provider (reference: providers.md, table 1a). The content type is not trusted: DeepSeek
 * sends JSON as octet-stream, proxies send HTML as anything.
 * @param body identity-encoded, may be cut at the end
 */
export function readProviderError(status: number, headers: HeaderMap, body: Buffer): ProviderError {
  const { reason, retryDelay, ...read } = readBody(body);
  const code = read.code ?? awsErrorType(headers['x-amzn-errortype']);
  const said = { ...read, code };
  return { status, ...said, kind: classify(status, said, reason), retry: retryHeaders(headers, retryDelay) };
}

/** `ValidationException:http://internal.amazon.com/…` → `ValidationException`. */
function awsErrorType(header: string | undefined): string | null {
  return codeOf(/^[\w.]+/.exec(header ?? '')?.[0]);
}

function retryHeaders(headers: HeaderMap, retryDelay: string | null): Readonly<Record<string, string>> {
  const retry: Record<string, string> = {};
  for (const name of ['retry-after', 'retry-after-ms']) {
    const value = headers[name];
    if (value !== undefined && /^[\w :,.+-]{1,64}$/.test(value)) retry[name] = value;
  }
  const seconds = /^(\d{1,9}(?:\.\d{1,9})?)s$/.exec(retryDelay ?? '')?.[1];
  if (seconds !== undefined && Object.keys(retry).length === 0)
    retry['retry-after'] = String(Math.ceil(Number(seconds)));
  return retry;
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
    return value.length > 0 && isObject(value[0]) ? { ...readJson(value[0]), shape: null } : SILENT;
  if (!isObject(value)) return SILENT;
  const inner = value['error'];
  if (isObject(inner)) return { ...readObject(inner), shape: shapeOf(value, inner) };
  const outer = readObject(value);
  // xAI and Ollama: the error is the text itself, the code stands beside it.
  return typeof inner === 'string' ? { ...outer, message: shorten(inner) } : outer;
}

/** Whose error shape `{"error":{…}}` is. OpenRouter also has numbers for codes, but only Google names them in `status`. */
function shapeOf(outer: JsonObject, inner: JsonObject): ErrorShape | null {
  if (typeof inner['message'] !== 'string') return null;
  if (outer['type'] === 'error' && typeof inner['type'] === 'string') return 'anthropic';
  return isGoogles(inner) ? 'google' : 'openai';
}

function isGoogles(error: JsonObject): boolean {
  return typeof error['code'] === 'number' && typeof error['status'] === 'string';
}

/** `{message, type, param, code}` at either level; also `detail` (FastAPI, Mistral, Voyage) and AWS' `Message`, `__type`. */
function readObject(value: JsonObject): Said {
  const details = listIn(value, 'details');
  const aws = stringIn(value, '__type');
  return {
    ...SILENT,
    message: messageOf(value['message']) ?? messageOf(value['detail']) ?? messageOf(value['Message']) ?? null,
    // Google's number only repeats the HTTP status; its name says more.
    code: (isGoogles(value) ? stringIn(value, 'status') : codeOf(value['code'])) ?? codeOf(aws?.replace(/^.*#/, '')),
    type: isGoogles(value) ? null : (stringIn(value, 'type') ?? stringIn(value, 'status')),
    param: stringIn(value, 'param'),
    reason: firstText(details, 'reason'),
    retryDelay: firstText(details, 'retryDelay'),
  };
}

function firstText(details: readonly unknown[], key: string): string | null {
  for (const detail of details) {
    const text = stringIn(detail, key);
    if (text !== null) return text;
  }
  return null;
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
/** AWS' names, with or without `Exception`. https://docs.aws.amazon.com/bedrock/latest/APIReference/CommonErrors.html */
const AWS_AUTH_CODE =
  /^(?:accessdenied|unrecognizedclient|expiredtoken|invalidsignature|incompletesignature|missingauthenticationtoken|invalidclienttokenid|notauthorized|optinrequired|requestexpired|signaturedoesnotmatch)(?:exception)?$/i;
/** Google's `ErrorInfo.reason`. https://cloud.google.com/apis/design/errors */
const GOOGLE_AUTH_REASON =
  /^(?:API_KEY_\w+|ACCESS_TOKEN_\w+|CREDENTIALS_MISSING|ACCOUNT_STATE_INVALID|CONSUMER_\w+|BILLING_DISABLED|SERVICE_DISABLED|IAM_PERMISSION_DENIED)$/;
/** Anthropic's 400 for an account without money: nothing that the client could change. */
const UNPAID_TEXT = /credit balance is too low/i;
const CREDENTIAL = `(?:api[ _-]?key|apikey|access[ _-]?token|bearer token|credentials?|authorization header|auth(?:entication)? token|subscription key)`;
const BLAME = `(?:invalid|incorrect|not valid|wrong|missing|expired|revoked|disabled|deactivated|malformed|unauthori[sz]ed|not found|not recogni[sz]ed|no|provide|required|leaked|suspended)`;
/** Blame and credential in one short phrase, either way round. */
const AUTH_TEXT = new RegExp(
  String.raw`\b${BLAME}\b[^.\n]{0,30}\b${CREDENTIAL}\b|\b${CREDENTIAL}\b[^.\n]{0,40}\b${BLAME}\b`,
  'i',
);
const CONTEXT_TEXT =
  /context[ _-]?(?:length|window)|maximum (?:context|input)|prompt is too long|too many (?:input )?tokens|input is too long|reduce the length/i;
const FILTER_TEXT =
  /content[ _-]?(?:filter|policy|management policy)|responsibleaipolicy|moderation|safety (?:system|policy)/i;

type Words = Pick<ProviderError, 'message' | 'code' | 'type'>;

/** First rule that fits wins. Credential first: such an answer must never look like the client's mistake. */
function classify(status: number, said: Words, reason: string | null): ProviderErrorKind {
  const words = `${said.code ?? ''} ${said.type ?? ''} ${(said.message ?? '').slice(0, 400)}`;
  if (blamesCredential(status, said) || GOOGLE_AUTH_REASON.test(reason ?? '')) return 'auth';
  if (status === 429) return 'rate_limit';
  if (status >= 500) return 'server';
  if (status === 404 || said.code === 'model_not_found') return 'not_found';
  if (CONTEXT_TEXT.test(words)) return 'context_length';
  if (FILTER_TEXT.test(words)) return 'content_filter';
  if (/^rate_limit|^(?:Throttling|ServiceQuotaExceeded)/.test(said.code ?? '')) return 'rate_limit';
  return [400, 409, 413, 422].includes(status) ? 'invalid' : 'unknown';
}

function blamesCredential(status: number, said: Words): boolean {
  if (status === 401 || status === 403) return true;
  if (AUTH_CODE.test(said.code ?? '') || AUTH_CODE.test(said.type ?? '')) return true;
  if (AWS_AUTH_CODE.test(said.code ?? '') || UNPAID_TEXT.test(said.message ?? '')) return true;
  // A 429 often names the key that is limited ("for this API key"): that is no blame.
  return status !== 429 && said.message !== null && AUTH_TEXT.test(said.message.slice(0, 400));
}

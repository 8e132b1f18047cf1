/** Whose fault an error is: the prefix of its code in metrics and records. */
export type Fault = 'client' | 'policy' | 'provider' | 'gateway';

/** OpenAI's `type` of an error. */
export type ErrorType =
  | 'invalid_request_error'
  | 'authentication_error'
  | 'permission_error'
  | 'not_found_error'
  | 'rate_limit_error'
  | 'api_error';

export interface ErrorEntry {
  readonly status: number;
  readonly type: ErrorType;
  readonly fault: Fault;
  /** When it happens; a sentence for docs/errors.md. */
  readonly when: string;
  /** What the reader can do about it; a sentence for docs/errors.md. */
  readonly remedy: string;
}

type Group = readonly [status: number, type: ErrorType, fault: Fault];

const BAD_REQUEST: Group = [400, 'invalid_request_error', 'client'];
const FORBIDDEN: Group = [403, 'permission_error', 'policy'];
const NOT_FOUND: Group = [404, 'not_found_error', 'client'];
const LIMITED: Group = [429, 'rate_limit_error', 'policy'];
const BAD_GATEWAY: Group = [502, 'api_error', 'provider'];
const UNAVAILABLE: Group = [503, 'api_error', 'gateway'];

function entry([status, type, fault]: Group, when: string, remedy: string): ErrorEntry {
  return { status, type, fault, when, remedy };
}

/** The closed list of codes (design 1.6). The names are a contract: nothing is renamed or reused. */
export const ERROR_CODES = {
  invalid_json: entry(
    BAD_REQUEST,
    'The body is not one JSON object in UTF-8 (or not a complete multipart form).',
    'Send the body your JSON library writes; look for a cut upload, a byte order mark, `NaN` or trailing text.',
  ),
  duplicate_key: entry(
    BAD_REQUEST,
    'An object in the body has the same key twice, or a key that the gateway reads in another spelling (`Model`).',
    'Send each key once, in the spelling of the API reference.',
  ),
  json_too_deep: entry(
    BAD_REQUEST,
    'The body is nested deeper than 64 levels.',
    'Flatten the data or send it as text.',
  ),
  too_many_keys: entry(
    BAD_REQUEST,
    'The body has more than 100,000 keys in all.',
    'Send large data as text inside a message or upload it as a file.',
  ),
  missing_model: entry(
    BAD_REQUEST,
    'The body has no `model`, or it is not a non-empty string.',
    'Set `model` to a configured name or to `provider/model`; `GET /v1/models` lists what the key may use.',
  ),
  ambiguous_credentials: entry(
    BAD_REQUEST,
    'Two headers carry different keys.',
    'Send the gateway key in one header only.',
  ),
  invalid_metadata: entry(
    BAD_REQUEST,
    '`x-tollgate-metadata` is not a flat JSON object of at most 1 KiB.',
    'Send an object of strings, such as `{"workload":"batch"}`.',
  ),
  unsupported_parameter: entry(
    BAD_REQUEST,
    'A parameter has a value that the gateway or the target cannot take; `param` names it.',
    'Correct the value, or leave the parameter out.',
  ),
  unsupported_endpoint: entry(
    BAD_REQUEST,
    'The provider behind this model does not serve this endpoint.',
    'Use another endpoint or another model.',
  ),
  guardrail_blocked: entry(
    [400, 'invalid_request_error', 'policy'],
    'A guardrail refused the request or the answer.',
    'Change the content, or ask the gateway’s operator about the rule.',
  ),
  invalid_api_key: entry(
    [401, 'authentication_error', 'client'],
    'The gateway key is missing, unknown, revoked or expired (all four look the same).',
    'Send a valid gateway key as `Authorization: Bearer …`.',
  ),
  model_not_allowed: entry(
    FORBIDDEN,
    'The key may not use this model.',
    'Use a model from `GET /v1/models`, or have the key’s `models` extended.',
  ),
  unpriced_model: entry(
    FORBIDDEN,
    'A cost limit covers the request, but the model’s price is unknown.',
    'Add the price under `prices`, or set `allow_unpriced` for the model.',
  ),
  model_not_found: entry(
    NOT_FOUND,
    'No configured model or provider has this name.',
    'Check the spelling against `GET /v1/models`.',
  ),
  not_found: entry(NOT_FOUND, 'The gateway does not serve this path.', 'Check the base URL: it ends in `/v1`.'),
  request_too_large: entry(
    [413, 'invalid_request_error', 'client'],
    'The body is larger than `gateway.body_limit`. On HTTP/2 a stream reset may be seen instead.',
    'Send less, or raise `gateway.body_limit`.',
  ),
  unsupported_media_type: entry(
    [415, 'invalid_request_error', 'client'],
    'The content type does not fit the endpoint, or the body has a `content-encoding`.',
    'Send plain `application/json` (`multipart/form-data` for audio files), not compressed.',
  ),
  rate_limit_exceeded: entry(
    LIMITED,
    'A limit of the gateway on requests or tokens is used up for now.',
    'Wait as long as `retry-after` says.',
  ),
  concurrency_limit_exceeded: entry(
    LIMITED,
    'Too many requests are running at once under one limit.',
    'Wait for running requests to end.',
  ),
  insufficient_quota: entry(
    LIMITED,
    'A budget is used up. Comes with `x-should-retry: false`.',
    'Wait for the next window of the limit, or have it raised.',
  ),
  provider_rate_limited: entry(
    [429, 'rate_limit_error', 'provider'],
    'The provider itself answered 429 on every target; its `retry-after` is kept.',
    'Wait as long as `retry-after` says, or add targets.',
  ),
  provider_error: entry(
    BAD_GATEWAY,
    'The provider failed (5xx) or answered something that cannot be read.',
    'Try again; if it stays, look at the provider’s status.',
  ),
  provider_auth: entry(
    BAD_GATEWAY,
    'The provider refused the gateway’s own credential. The client’s key is fine.',
    'The operator must check the provider’s `credentials`.',
  ),
  upstream_unavailable: entry(
    [503, 'api_error', 'provider'],
    'No target could be reached: refused, reset, or no healthy host.',
    'Try again; the operator should check `base_url` and the network.',
  ),
  gateway_unavailable: entry(
    UNAVAILABLE,
    'The gateway’s service did not decide about the request in time.',
    'Try again in a moment.',
  ),
  ledger_unavailable: entry(
    UNAVAILABLE,
    'The ledger cannot be written, so no paid request is let through.',
    'Try again; the operator should check the disk.',
  ),
  limits_unavailable: entry(
    UNAVAILABLE,
    'The store of the limits cannot be reached and a hard limit covers the request.',
    'Try again; the operator should check the store.',
  ),
  upstream_timeout: entry(
    [504, 'api_error', 'provider'],
    'The last target did not answer in time.',
    'Try again, stream the answer, or raise the model’s `retry` times.',
  ),
} as const satisfies Readonly<Record<string, ErrorEntry>>;

export type ErrorCode = keyof typeof ERROR_CODES;

/** `client.invalid_json`: the code as metrics and records show it. */
export function prefixedCode(code: ErrorCode): string {
  return `${ERROR_CODES[code].fault}.${code}`;
}

import type { ErrorShape } from './endpoint.js';
import { ERROR_CODES, type ErrorCode } from './error-codes.js';

export interface GatewayErrorOptions {
  /** The request field at fault: `model`, `stream_options.include_usage`. */
  readonly param?: string | null;
  /** Extra response headers, lower-case names: `retry-after`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** A provider's own status, code and type, shown in place of the table's. */
  readonly status?: number;
  readonly shownCode?: string | null;
  readonly shownType?: string;
}

/** An error that the client may see: everything in it is meant for the client and holds no secret. */
export class GatewayError extends Error {
  /** From the closed list: what metrics and records count. */
  readonly code: ErrorCode;
  readonly status: number;
  readonly param: string | null;
  readonly headers: Readonly<Record<string, string>>;
  /** What the client reads as `code`: a provider's own, or the same as `code`. */
  readonly shownCode: string | null;
  readonly shownType: string;

  /** @param message for people, complete sentences, no secrets; shown to the client as it is */
  constructor(code: ErrorCode, message: string, options: GatewayErrorOptions = {}) {
    // Nobody reads where a refusal was made, and to note it costs as much as all the rest of one.
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(message);
    Error.stackTraceLimit = stackTraceLimit;
    this.name = 'GatewayError';
    this.code = code;
    this.status = options.status ?? ERROR_CODES[code].status;
    this.param = options.param ?? null;
    // The official clients retry every 429 unless told; a used-up budget stays used up.
    this.headers =
      code === 'insufficient_quota' ? { 'x-should-retry': 'false', ...options.headers } : (options.headers ?? {});
    this.shownCode = options.shownCode === undefined ? code : options.shownCode;
    this.shownType = options.shownType ?? ERROR_CODES[code].type;
  }
}

export interface RenderedError {
  readonly status: number;
  /** Lower-case names; has `content-type`, and `x-request-id` when one was given. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** The error as an HTTP answer in the dialect that the client reads. */
export function renderError(error: GatewayError, shape: ErrorShape, requestId?: string): RenderedError {
  const body = JSON.stringify(BODIES[shape](error, requestId));
  const headers: Record<string, string> = { ...error.headers, 'content-type': 'application/json' };
  if (requestId !== undefined) headers['x-request-id'] = requestId;
  // Where Anthropic's SDK looks for it.
  if (requestId !== undefined && shape === 'anthropic') headers['request-id'] = requestId;
  return { status: error.status, headers, body: Buffer.from(body) };
}

const BODIES: Readonly<Record<ErrorShape, (error: GatewayError, requestId: string | undefined) => object>> = {
  openai: (error) => ({
    error: { message: error.message, type: error.shownType, param: error.param, code: error.shownCode },
  }),
  anthropic: (error, requestId) => ({
    type: 'error',
    error: { type: anthropicErrorType(error.status), message: error.message },
    ...(requestId === undefined ? {} : { request_id: requestId }),
  }),
  google: (error) => ({
    error: {
      code: error.status,
      message: error.message,
      status: googleErrorStatus(error.status),
      details: [
        {
          '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
          reason: (error.shownCode ?? error.code).toUpperCase(),
          domain: 'tollgate',
        },
      ],
    },
  }),
};

/** Anthropic's closed list of types. https://platform.claude.com/docs/en/api/errors */
const ANTHROPIC_TYPES: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  503: 'overloaded_error',
  504: 'timeout_error',
  529: 'overloaded_error',
};

/** The type that goes with an HTTP status. */
export function anthropicErrorType(status: number): string {
  return ANTHROPIC_TYPES[status] ?? (status < 500 ? 'invalid_request_error' : 'api_error');
}

/** The name in google.rpc.Code that goes with an HTTP status. */
export function googleErrorStatus(status: number): string {
  return GOOGLE_STATUS[status] ?? (status < 500 ? 'INVALID_ARGUMENT' : 'INTERNAL');
}

/** google.rpc.Code by HTTP status. */
const GOOGLE_STATUS: Readonly<Record<number, string>> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  409: 'ABORTED',
  429: 'RESOURCE_EXHAUSTED',
  500: 'INTERNAL',
  502: 'UNAVAILABLE',
  503: 'UNAVAILABLE',
  504: 'DEADLINE_EXCEEDED',
};

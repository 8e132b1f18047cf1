import type { ServerResponse } from 'node:http';

/** What a handler answers with. */
export type Reply =
  | {
      readonly kind: 'text';
      readonly status: number;
      readonly type: string;
      readonly body: string;
      readonly headers?: Readonly<Record<string, string>>;
    }
  /** The handler writes until the client leaves. */
  | { readonly kind: 'stream'; readonly run: (response: ServerResponse) => void };

export function json(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Reply {
  return { kind: 'text', status, type: 'application/json; charset=utf-8', body: `${JSON.stringify(body)}\n`, headers };
}

/** Refuses a request of the admin API; the message is for the caller. */
export class AdminError extends Error {
  readonly status: number;
  readonly code: string;
  readonly param: string | null;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    code: string,
    message: string,
    more: { param?: string; headers?: Record<string, string> } = {},
  ) {
    super(message);
    this.status = status;
    this.code = code;
    this.param = more.param ?? null;
    this.headers = more.headers ?? {};
  }

  /** The error shape of design 1.6. */
  reply(): Reply {
    const error = { message: this.message, type: typeOf(this.status), param: this.param, code: this.code };
    return json(this.status, { error }, this.headers);
  }
}

function typeOf(status: number): string {
  if (status === 401) return 'authentication_error';
  if (status === 403) return 'permission_error';
  if (status === 404) return 'not_found_error';
  return status < 500 ? 'invalid_request_error' : 'api_error';
}

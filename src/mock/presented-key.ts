import type { IncomingHttpHeaders } from 'node:http';

const HEADERS = ['x-api-key', 'x-goog-api-key', 'api-key'];

/** The key of a request, wherever its dialect puts it; for a request signed for AWS, the id of the access key. */
export function presentedKey(headers: IncomingHttpHeaders): string | null {
  const { authorization } = headers;
  if (authorization?.startsWith('AWS4-HMAC-SHA256 ')) return /Credential=([^/,]+)\//.exec(authorization)?.[1] ?? null;
  if (authorization !== undefined) return authorization.replace(/^Bearer /i, '');
  for (const name of HEADERS) {
    const value = headers[name];
    if (typeof value === 'string') return value;
  }
  return null;
}

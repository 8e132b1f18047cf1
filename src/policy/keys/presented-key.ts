/** All values of a request header, by lower-case name; empty when it is not there. */
export type HeaderLookup = (name: string) => readonly string[];

export type PresentedKey =
  | { readonly kind: 'none' }
  | { readonly kind: 'key'; readonly secret: string }
  /** 400 `ambiguous_credentials`. */
  | { readonly kind: 'ambiguous' };

/** Where SDKs put a key, besides `Authorization: Bearer`: Anthropic's, Azure's and Google's headers. */
const PLAIN_HEADERS: readonly string[] = ['x-api-key', 'api-key', 'x-goog-api-key'];

/** Browsers cannot set headers on a WebSocket: OpenAI's clients offer the key there as a subprotocol. */
const PROTOCOL_HEADER = 'sec-websocket-protocol';
const KEY_PROTOCOL = 'openai-insecure-api-key.';

const OTHER_HEADERS: readonly string[] = [...PLAIN_HEADERS, PROTOCOL_HEADER];

/** Every header that may carry a gateway key: none of them may ever reach a provider as the client sent it. */
export const KEY_HEADERS: readonly string[] = ['authorization', ...OTHER_HEADERS];

/** A second credential joined into one value by a hop that merges repeated headers. */
const JOINED = /,\s*(?:bearer|basic)\s/i;

/**
 * The gateway key that a request presents. The same key in several headers is one key; two different ones, or a
 * repeated `authorization`, could be judged differently by different readers and are ambiguous. A scheme other than
 * Bearer is no key. Values are returned as they came (any length, any bytes): judging them is the ring's work.
 */
export function readPresentedKey(headers: HeaderLookup): PresentedKey {
  const authorization = headers('authorization');
  if (authorization.length > 1 || JOINED.test(authorization[0] ?? '')) return { kind: 'ambiguous' };
  let found = bearer(authorization[0] ?? '');
  for (const name of OTHER_HEADERS) {
    const values = headers(name);
    if (values.length === 0) continue;
    for (const given of name === PROTOCOL_HEADER ? offeredKeys(values) : values) {
      const secret = given.trim();
      if (secret === '') continue;
      if (found !== null && found !== secret) return { kind: 'ambiguous' };
      found = secret;
    }
  }
  return found === null ? { kind: 'none' } : { kind: 'key', secret: found };
}

function offeredKeys(values: readonly string[]): readonly string[] {
  const keys = protocols(values).filter((protocol) => protocol.startsWith(KEY_PROTOCOL));
  return keys.map((protocol) => protocol.slice(KEY_PROTOCOL.length));
}

/** The subprotocols that a client offers for its WebSocket, without one that is a key; '' when there are none. */
export function offeredProtocols(values: readonly string[]): string {
  return protocols(values)
    .filter((protocol) => !protocol.startsWith(KEY_PROTOCOL))
    .join(', ');
}

function protocols(values: readonly string[]): readonly string[] {
  return values.flatMap((value) => value.split(',')).map((protocol) => protocol.trim());
}

function bearer(value: string): string | null {
  if (value.slice(0, 7).toLowerCase() !== 'bearer ') return null;
  const secret = value.slice(7).trim();
  return secret === '' ? null : secret;
}

/** The value of `key` in the query of a path; '' when there is none. */
export function queryKey(path: string): string {
  const at = path.indexOf('?');
  return at < 0 ? '' : (new URLSearchParams(path.slice(at + 1)).get('key') ?? '').trim();
}

/** The path without `key` in its query, everything else as it was written. */
export function withoutQueryKey(path: string): string {
  const at = path.indexOf('?');
  if (at < 0) return path;
  const kept = path
    .slice(at + 1)
    .split('&')
    .filter((pair) => new URLSearchParams(pair).get('key') === null);
  return kept.length === 0 ? path.slice(0, at) : `${path.slice(0, at)}?${kept.join('&')}`;
}

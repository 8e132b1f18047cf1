/** What an app may say to a provider. Source: design, section 2 "Headers". */
export const FORWARDED_REQUEST_HEADERS: ReadonlySet<string> = new Set([
  'content-type',
  'accept',
  'user-agent',
  'idempotency-key',
  'anthropic-version',
  'anthropic-beta',
  'openai-beta',
]);

/**
 * Left alone although not forwarded: framing belongs to whoever writes the body, and Envoy's `strip` filter takes
 * x-request-id off on the way out (before that it pins the streams of a request and is in the access log).
 */
const ENVOYS_OWN: ReadonlySet<string> = new Set([
  'content-length',
  'transfer-encoding',
  'x-request-id',
  // Without it Envoy finds no route when the route is chosen again; `strip` takes it off too.
  'x-forwarded-proto',
]);

const NOT_FOR_CLIENTS: ReadonlySet<string> = new Set([
  // RFC 9110 section 7.6.1; transfer-encoding is Envoy's.
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authentication-info',
  'te',
  'trailer',
  'upgrade',
  // State of the provider's origin, not of ours.
  'set-cookie',
  'set-cookie2',
  'alt-svc',
  'strict-transport-security',
]);

/**
 * Whether a header of the client's, by its name in lower case, goes on to a provider: what is not on the allow-list is
 * removed; pseudo-headers stay. Set the credential in the same mutation: Envoy removes first, then sets.
 */
export function isForProviders(name: string): boolean {
  return name.startsWith(':') || FORWARDED_REQUEST_HEADERS.has(name) || ENVOYS_OWN.has(name);
}

/**
 * The names to remove from a provider's answer before it goes to the client: hop-by-hop headers (also those that
 * `connection` names), cookies and other state of the provider's origin, names that are ours or Envoy's, and every
 * header whose value holds one of `secrets` (of the credential that the attempt carried).
 */
export function responseHeadersToRemove(
  headers: Iterable<readonly [name: string, value: string]>,
  secrets: readonly string[],
): readonly string[] {
  const removed: string[] = [];
  const remove = (name: string): void => {
    if (!removed.includes(name)) removed.push(name);
  };
  for (const [given, value] of headers) {
    const name = given.toLowerCase();
    if (name.startsWith(':')) continue;
    if (name === 'connection') for (const listed of connectionOptions(value)) remove(listed);
    if (isNotForClients(name) || secrets.some((secret) => secret !== '' && value.includes(secret))) remove(name);
  }
  return removed;
}

function isNotForClients(name: string): boolean {
  return NOT_FOR_CLIENTS.has(name) || name.startsWith('x-envoy-') || name.startsWith('x-tollgate-');
}

/** Names that `connection` declares hop-by-hop; those that carry the answer itself cannot be declared away. */
function connectionOptions(value: string): readonly string[] {
  return value
    .split(',')
    .map((option) => option.trim().toLowerCase())
    .filter((name) => name !== '' && !/^(?:content-.*|transfer-encoding|close)$/.test(name));
}

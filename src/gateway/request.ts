import type { Endpoint } from '../dialects/endpoint.js';
import { matchEndpoint } from '../dialects/endpoints.js';
import { GatewayError } from '../dialects/error.js';
import { refuseMediaType } from '../dialects/request.js';
import { readPresentedKey } from '../policy/keys/presented-key.js';
import type { HeaderView } from './headers.js';
import { readMetadata } from './metadata.js';
import type { Parts } from './parts.js';
import type { RequestState } from './state.js';

/** One body for missing, unknown, revoked and expired keys: nothing to learn from the difference. */
const INVALID_KEY =
  'Invalid gateway key. Send a valid key as "Authorization: Bearer <key>" (or in x-api-key, api-key, x-goog-api-key).';

/**
 * Everything that can be refused before a byte of body is read: path, key, size, encoding, content type.
 * Fills `key`, `labels` and `user`; throws the GatewayError that the client gets.
 */
export function readRequest(parts: Parts, state: RequestState, hasBody: boolean): void {
  const endpoint = state.endpoint;
  if (!endpoint) {
    throw nothingServed(state.headers);
  }
  authenticate(parts, state);
  if (state.key && !state.rules.endpoints(state.key, endpoint.path)) {
    throw new GatewayError('model_not_allowed', `This key may not use ${endpoint.path}.`);
  }
  if (endpoint.body !== 'none') checkBody(state, endpoint, hasBody);
  const metadata = readMetadata(state.headers.get('x-tollgate-metadata'));
  state.metadata = metadata;
  // The key's own labels win: a client must not book its costs on another team.
  state.labels = { ...metadata, ...state.key?.labels };
  state.user = metadata['user'] ?? '';
}

function authenticate(parts: Parts, state: RequestState): void {
  const presented = readPresentedKey((name) => state.headers.all(name));
  if (presented.kind === 'ambiguous') {
    throw new GatewayError('ambiguous_credentials', 'The request carries two different keys; send one.');
  }
  const key = presented.kind === 'none' ? null : state.rules.keys.find(presented.secret, parts.clock.now());
  if (!key) throw new GatewayError('invalid_api_key', INVALID_KEY, { headers: { 'www-authenticate': 'Bearer' } });
  state.key = key;
}

function checkBody(state: RequestState, endpoint: Endpoint, hasBody: boolean): void {
  const { headers } = state;
  const length = Number(headers.get('content-length') ?? 0);
  const limit = state.rules.snapshot.gateway.bodyLimit;
  if (length > limit) {
    throw new GatewayError('request_too_large', `The body has ${length} bytes, the limit is ${limit}.`);
  }
  const encoding = headers.get('content-encoding');
  if (encoding !== undefined && encoding !== 'identity') {
    throw new GatewayError(
      'unsupported_media_type',
      'Compressed request bodies are not accepted; send the body without content-encoding.',
    );
  }
  if (!hasBody) throw new GatewayError('invalid_json', 'The request has no body.');
  const refusal = refuseMediaType(endpoint, headers.get('content-type') ?? '');
  if (refusal) throw refusal;
}

/** A base URL without its `/v1` is the commonest mistake. */
function nothingServed(headers: HeaderView): GatewayError {
  const method = headers.get(':method') ?? '';
  const path = visiblePath(headers);
  const meant = matchEndpoint(method, `/v1${path}`) ? ` Did you mean /v1${path}? The base URL ends with /v1.` : '';
  return new GatewayError('not_found', `Nothing is served at ${method} ${path}.${meant}`);
}

/** The path as it may be repeated to the client: no query (it can hold a key), bounded. */
export function visiblePath(headers: HeaderView): string {
  const path = headers.get(':path') ?? '';
  const query = path.indexOf('?');
  return (query < 0 ? path : path.slice(0, query)).slice(0, 200);
}

import type { Endpoint } from '../dialects/endpoint.js';
import { matchEndpoint } from '../dialects/endpoints.js';
import { GatewayError } from '../dialects/error.js';
import { refuseMediaType } from '../dialects/request.js';
import { sourceOf } from '../policy/keys/bad-key-guard.js';
import type { LaterFind } from '../policy/keys/key-ring.js';
import { type PresentedKey, queryKey, readPresentedKey } from '../policy/keys/presented-key.js';
import { checkOwnKeys, OWN_KEY_HEADER, readOwnKeys } from '../providers/credentials/own-key.js';
import type { HeaderView } from './headers.js';
import { readMetadata } from './metadata.js';
import type { Parts } from './parts.js';
import type { RequestState } from './state.js';
import { passesUnseen } from './unseen.js';
import { checkUpgrade, isUpgrade } from './upgrade.js';

/** One body for missing, unknown, revoked and expired keys: nothing to learn from the difference. */
const INVALID_KEY =
  'Invalid gateway key. Send a valid key as "Authorization: Bearer <key>" (or in x-api-key, api-key, x-goog-api-key).';

/**
 * Everything that can be refused before a byte of body is read: path, key, size, encoding, content type.
 * Fills `key`, `labels` and `user`; `done` gets the GatewayError that the client gets, or nothing: in the same turn, unless
 * the key is a token that somebody else has to vouch for.
 */
export function readRequest(
  parts: Parts,
  state: RequestState,
  hasBody: boolean,
  done: (error?: unknown) => void,
): void {
  const endpoint = state.endpoint;
  if (!endpoint) {
    done(nothingServed(state.headers));
    return;
  }
  const read = (): void => {
    try {
      readRest(parts, state, hasBody);
    } catch (error) {
      done(error);
      return;
    }
    done();
  };
  authenticate(parts, state, (error) => (error ? done(error) : read()));
}

function readRest(parts: Parts, state: RequestState, hasBody: boolean): void {
  const { endpoint } = state;
  if (!endpoint) throw new Error('reading a request for no endpoint');
  if (state.key && !state.rules.endpoints(state.key, endpoint.path)) {
    throw new GatewayError('model_not_allowed', `This key may not use ${endpoint.path}.`);
  }
  if (isUpgrade(endpoint.wire)) checkUpgrade(endpoint, state.headers);
  if (passesUnseen(parts, state, endpoint)) state.requestBody = 'unseen';
  else if (endpoint.body !== 'none') checkBody(state, endpoint, hasBody);
  state.ownKeys = readOwnKeys(state.headers.all(OWN_KEY_HEADER));
  checkOwnKeys(state.ownKeys, state.rules.snapshot.providers);
  const metadata = readMetadata(state.headers.get('x-tollgate-metadata'));
  state.metadata = metadata;
  // The key's own labels win: a client must not book its costs on another team.
  const own = state.key?.labels ?? metadata;
  state.labels = state.headers.get('x-tollgate-metadata') === undefined ? own : { ...metadata, ...own };
  state.user = metadata['user'] ?? '';
}

function authenticate(parts: Parts, state: RequestState, done: (error?: GatewayError) => void): void {
  const presented = presentedKey(state);
  if (presented.kind === 'ambiguous') {
    done(new GatewayError('ambiguous_credentials', 'The request carries two different keys; send one.'));
    return;
  }
  if (presented.kind === 'none') {
    done(invalidKey());
    return;
  }
  const { keys } = state.rules;
  const now = parts.clock.now();
  state.key = keys.find(presented.secret, now);
  if (state.key) {
    done();
    return;
  }
  const judged = (found: LaterFind): void => {
    if (found.kind === 'found') state.key = found.key;
    done(found.kind === 'found' ? undefined : notFound(parts, state, found));
  };
  if (keys.findLater?.(presented.secret, now, judged) !== true) done(notFound(parts, state, { kind: 'unknown' }));
}

/** Google's clients may send the key as `?key=`; it stays here, no provider and no log gets it. */
function presentedKey(state: RequestState): PresentedKey {
  const presented = readPresentedKey((name) => state.headers.all(name));
  const query = state.errors === 'google' ? queryKey(state.headers.get(':path') ?? '') : '';
  if (query === '' || presented.kind === 'ambiguous') return presented;
  if (presented.kind === 'key' && presented.secret !== query) return { kind: 'ambiguous' };
  return { kind: 'key', secret: query };
}

function notFound(parts: Parts, state: RequestState, found: Exclude<LaterFind, { kind: 'found' }>): GatewayError {
  if (found.kind === 'unavailable') {
    parts.report.fault('looking for a key', new Error(found.reason));
    return new GatewayError(
      'gateway_unavailable',
      'The gateway cannot tell now whether this key is valid. Try again.',
      {
        headers: { 'retry-after': '1' },
      },
    );
  }
  const waitMs = parts.badKeys.bad(sourceOf(state.headers.get('x-forwarded-for')));
  if (waitMs === 0) return invalidKey();
  return new GatewayError(
    'rate_limit_exceeded',
    'Too many invalid keys from this address. Wait, or send a valid key.',
    {
      headers: { 'retry-after': String(Math.ceil(waitMs / 1000)) },
    },
  );
}

function invalidKey(): GatewayError {
  return new GatewayError('invalid_api_key', INVALID_KEY, { headers: { 'www-authenticate': 'Bearer' } });
}

function checkBody(state: RequestState, endpoint: Endpoint, hasBody: boolean): void {
  const { headers } = state;
  const length = Number(headers.get('content-length') ?? 0);
  const limit = state.rules.snapshot.gateway.bodyLimit;
  if (length > limit) {
    throw new GatewayError('request_too_large', `The body has ${length} bytes, the limit is ${limit}.`);
  }
  if (endpoint.body === 'any') {
    if (hasBody && headers.get('content-length') === undefined) throw lengthNeeded();
    return;
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

/** A signature covers the whole body, and Envoy would wait for ever for the rest of one above the limit. */
function lengthNeeded(): GatewayError {
  const message = 'Send content-length: this provider wants requests signed, so their bodies are taken whole.';
  return new GatewayError('unsupported_media_type', message);
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

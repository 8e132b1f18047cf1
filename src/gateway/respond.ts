import { decodeWhole } from '../codec/decode-whole.js';
import { type ClientError, clientError } from '../dialects/client-error.js';
import { GatewayError, renderError } from '../dialects/error.js';
import { readProviderError } from '../dialects/provider-error.js';
import { readCooldown } from '../providers/cooldown.js';
import { OWN_KEY_HEADER } from '../providers/credentials/own-key.js';
import { responseHeadersToRemove } from '../providers/upstream-headers.js';
import { closeAttempt } from './attempts.js';
import { mostUseful } from './exhausted.js';
import type { HeaderView } from './headers.js';
import type { ResponseOrigin } from './origin.js';
import type { Parts } from './parts.js';
import { reasonOf } from './peek.js';
import { refuse } from './refuse.js';
import type { BodyChange, HeaderPair, Refuse } from './reply.js';
import type { Failure, RequestState } from './state.js';

/** An error message longer than this is none. */
const MAX_ERROR_BYTES = 1024 * 1024;
const NO_SECRETS: readonly string[] = [];

/** Headers that every answer of a provider gets, and those it loses. */
export function responseHeaders(
  state: RequestState,
  headers: HeaderView,
): { readonly set: readonly HeaderPair[]; readonly remove: readonly string[] } {
  // Envoy's route has said it already, in place of the provider's; to say it again costs both sides a microsecond.
  const set: HeaderPair[] = headers.get('x-request-id') === state.id ? [] : [['x-request-id', state.id]];
  if (state.served) {
    set.push(['x-tollgate-provider', state.served.provider], ['x-tollgate-model', state.served.model]);
    set.push(['x-tollgate-attempts', String(attemptsMade(state))]);
  }
  // Anthropic's SDK looks there; a provider of the same dialect has its own.
  if (state.errors === 'anthropic' && state.open?.call) set.push(['request-id', state.id]);
  const warnings = state.open?.warnings ?? [];
  if (warnings.length > 0) set.push(['x-tollgate-warning', warningText(warnings)]);
  const entries = headers.entries();
  let remove = responseHeadersToRemove(entries, state.open?.secrets ?? NO_SECRETS);
  if (state.held && state.held.headers.length > 0) {
    const ours = state.held.headers;
    for (const header of ours) set.push(header);
    remove = withoutLimits(entries, remove, ours);
  }
  return { set, remove };
}

/** The provider's limits are the operator's business where a limit of ours covers the request. */
function withoutLimits(
  entries: readonly HeaderPair[],
  remove: readonly string[],
  ours: readonly HeaderPair[],
): readonly string[] {
  // Nearly always.
  if (!entries.some(isLimit) && !remove.some(namesLimit)) return remove;
  const limits = entries.filter(isLimit).map(([name]) => name);
  const isOurs = (name: string): boolean => ours.some(([other]) => other === name);
  return [...new Set([...remove, ...limits])].filter((name) => !isOurs(name));
}

function isLimit([name]: HeaderPair): boolean {
  return namesLimit(name);
}

function namesLimit(name: string): boolean {
  return name.startsWith('x-ratelimit-');
}

/** Names of fields, as the client wrote them: only what may stand in a header, and no more than a header may hold. */
function warningText(warnings: readonly string[]): string {
  const names = warnings.map((name) => name.slice(0, 100).replace(/[^\x21-\x2b\x2d-\x7e]/g, '?'));
  const text = `not sent to this model: ${names.join(', ')}`;
  return text.length <= 1000 ? text : `${text.slice(0, 997)}...`;
}

export function attemptsMade(state: RequestState): number {
  return state.attempts.length + (state.open ? 1 : 0);
}

/**
 * The error behind a reply that Envoy made itself (nobody could be reached, a time ran out, the body was too large).
 * Source: response code details measured on Envoy 1.40.
 */
export function localError(origin: ResponseOrigin, status: number): GatewayError {
  const { details } = origin;
  if (details === 'request_payload_too_large') {
    return new GatewayError('request_too_large', 'The request body is larger than this gateway accepts.');
  }
  if (/timeout/.test(details)) return new GatewayError('upstream_timeout', 'The provider did not answer in time.');
  if (origin.attempts > 0 || /^(no_healthy_upstream|cluster_not_found|upstream_reset|maintenance)/.test(details)) {
    return new GatewayError('upstream_unavailable', 'The provider could not be reached.', {
      headers: { 'retry-after': '1' },
    });
  }
  if (details === 'upgrade_failed') {
    return new GatewayError(
      'unsupported_endpoint',
      'Protocol upgrades are not supported here, only WebSocket at /v1/realtime.',
    );
  }
  if (status === 400 || status === 431) return new GatewayError('invalid_json', 'The request could not be read.');
  return new GatewayError('gateway_unavailable', 'The gateway could not decide about this request.', {
    headers: { 'retry-after': '1' },
  });
}

/** Why the attempt failed, in the words of records and metrics. */
export function failureReason(origin: ResponseOrigin): string {
  if (/timeout/.test(origin.details)) return 'timeout';
  if (/connection_failure|no_healthy|cluster_not_found|overflow/.test(origin.details)) return 'connect';
  if (/reset|protocol_error/.test(origin.details)) return 'reset';
  return origin.details.slice(0, 60) || 'unknown';
}

/**
 * A provider's error body, in the client's dialect; null when it already is and goes on unchanged. Closes the attempt and
 * notes the status and code that the client gets: the most useful one when several targets failed.
 */
export function errorBody(parts: Parts, state: RequestState, headers: HeaderView, body: Buffer): BodyChange | null {
  const providerStatus = Number(headers.get(':status') ?? 0);
  const text = decodeWhole(body, headers.get('content-encoding'), MAX_ERROR_BYTES) ?? Buffer.alloc(0);
  const said = readProviderError(providerStatus, Object.fromEntries(headers.entries()), text);
  const answer = ownKeyRefused(state, said.kind) ?? clientError(said, providerStatus);
  closeAttempt(parts, state, 'error', failureOf(parts, state, { headers, text, kind: said.kind }));
  const useful = mostUseful(state.failures);
  const error = useful ?? answer.error;
  state.code = error.code;
  if (useful === null && answer.keepBodyFor === state.errors) {
    state.status = providerStatus;
    return null;
  }
  const rendered = renderError(error, state.errors, state.id);
  state.status = rendered.status;
  const set: HeaderPair[] = Object.entries(rendered.headers).map(([name, value]) => [name, value]);
  set.push([':status', String(rendered.status)]);
  return { body: rendered.body, set, remove: ['content-encoding'] };
}

/** Who sent a key of its own must know that it is that one which does not do. */
function ownKeyRefused(state: RequestState, kind: string): ClientError | null {
  if (kind !== 'auth' || state.open?.ownKey !== true) return null;
  const message = `The provider refused the key that you sent for it in ${OWN_KEY_HEADER}.`;
  return { error: new GatewayError('provider_auth', message), keepBodyFor: null };
}

const SPECIAL_KINDS: ReadonlySet<string> = new Set(['auth', 'context_length', 'content_filter']);

interface ErrorAnswer {
  readonly headers: HeaderView;
  /** The body, decoded. */
  readonly text: Buffer;
  readonly kind: string;
}

function failureOf(parts: Parts, state: RequestState, { headers, text, kind }: ErrorAnswer): Failure {
  const seen = state.open?.failure;
  const status = state.open?.status ?? 0;
  const reason = SPECIAL_KINDS.has(kind) ? kind : (seen?.reason ?? reasonOf(status));
  const cooldownMs = seen?.cooldownMs ?? readCooldown((name) => headers.get(name), text, parts.clock.now());
  return { reason, cooldownMs };
}

/** A whole answer of ours in place of Envoy's own. The attempt is closed already. */
export function replaceLocalReply(state: RequestState, origin: ResponseOrigin, status: number): Refuse {
  const error = state.verdict ?? mostUseful(state.failures) ?? localError(origin, status);
  state.status = error.status;
  state.code = error.code;
  return refuse(error, state.errors, state.id);
}

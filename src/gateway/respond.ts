import { decodeWhole } from '../codec/decode-whole.js';
import { clientError } from '../dialects/client-error.js';
import { GatewayError, renderError } from '../dialects/error.js';
import { readProviderError } from '../dialects/provider-error.js';
import { responseHeadersToRemove } from '../providers/upstream-headers.js';
import { accountOf } from './attempt.js';
import type { HeaderView } from './headers.js';
import type { ResponseOrigin } from './origin.js';
import { refuse } from './refuse.js';
import type { BodyChange, HeaderPair } from './reply.js';
import type { RequestState } from './state.js';

/** An error message longer than this is none. */
const MAX_ERROR_BYTES = 1024 * 1024;

/** Headers that every answer of a provider gets, and those it loses. */
export function responseHeaders(state: RequestState, headers: HeaderView): { set: HeaderPair[]; remove: string[] } {
  const set: HeaderPair[] = [['x-request-id', state.id]];
  if (state.served) {
    set.push(['x-tollgate-provider', state.served.provider], ['x-tollgate-model', state.served.model]);
    set.push(['x-tollgate-attempts', String(attemptsMade(state))]);
  }
  const remove = new Set<string>();
  const credentials = state.served ? accountOf(state, state.served).credentials : [];
  // Also without a credential: hop-by-hop headers and cookies stay here.
  for (const secret of credentials.length === 0 ? [null] : credentials.map((entry) => entry.secret.reveal())) {
    for (const name of responseHeadersToRemove(headers.entries(), secret)) remove.add(name);
  }
  return { set, remove: [...remove] };
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
 * A provider's error body, in the client's dialect; null when it already is and goes on unchanged.
 * Notes the status and code that the client gets.
 */
export function errorBody(
  state: RequestState,
  providerStatus: number,
  headers: HeaderView,
  body: Buffer,
): BodyChange | null {
  const text = decodeWhole(body, headers.get('content-encoding'), MAX_ERROR_BYTES) ?? Buffer.alloc(0);
  const error = readProviderError(providerStatus, Object.fromEntries(headers.entries()), text);
  const answer = clientError(error, providerStatus);
  state.code = answer.error.code;
  if (answer.keepBody && state.errors === 'openai') {
    state.status = providerStatus;
    return null;
  }
  const rendered = renderError(answer.error, state.errors, state.id);
  state.status = rendered.status;
  const set: HeaderPair[] = Object.entries(rendered.headers).map(([name, value]) => [name, value]);
  set.push([':status', String(rendered.status)]);
  return { body: rendered.body, set, remove: ['content-encoding'] };
}

/** A whole answer of ours in place of Envoy's own. */
export function replaceLocalReply(
  state: RequestState,
  origin: ResponseOrigin,
  status: number,
): ReturnType<typeof refuse> {
  const error = localError(origin, status);
  state.status = error.status;
  state.code = error.code;
  return refuse(error, state.errors, state.id);
}

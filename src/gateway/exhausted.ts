import { GatewayError } from '../dialects/error.js';
import type { FailedAttempt, Failure } from './state.js';

type Kind = 'limited' | 'late' | 'unreached' | 'failed' | 'refused';

const LATE: ReadonlySet<string> = new Set(['timeout', 'first_token']);
const UNREACHED: ReadonlySet<string> = new Set(['connect', 'reset']);
const REFUSED: ReadonlySet<string> = new Set(['400', '404', '409', '413', '422', 'context_length', 'content_filter']);

function kindOf({ reason }: Failure): Kind {
  if (reason === '429') return 'limited';
  if (reason === null || UNREACHED.has(reason)) return 'unreached';
  if (LATE.has(reason)) return 'late';
  return REFUSED.has(reason) ? 'refused' : 'failed';
}

/**
 * What the client reads when every target failed: the most useful error, not simply the last. All rate-limited → 429 with
 * the smallest `retry-after`; all late → 504; a target's refusal stands only when no other target failed for its own
 * reasons, because a repeat may find those well again. Null: the last error says it all.
 */
export function mostUseful(failures: readonly FailedAttempt[]): GatewayError | null {
  // One target, tried again: nobody knows better than its last answer.
  if (new Set(failures.map(({ target }) => target)).size < 2) return null;
  const kinds = new Set(failures.map(kindOf));
  if (kinds.size === 1 && kinds.has('limited')) return allLimited(failures);
  if (kinds.size === 1 && kinds.has('late')) {
    return new GatewayError('upstream_timeout', 'No target of this model answered in time.');
  }
  if (kinds.size === 1 && kinds.has('refused')) return null;
  if (kinds.has('failed') || kinds.has('limited') || kinds.has('refused')) {
    return new GatewayError('provider_error', 'No target of this model could answer.', {
      headers: { 'retry-after': '1' },
    });
  }
  return new GatewayError('upstream_unavailable', 'No target of this model could be reached.', {
    headers: { 'retry-after': '1' },
  });
}

function allLimited(failures: readonly Failure[]): GatewayError {
  const stated = failures.flatMap((failure) => failure.cooldownMs ?? []);
  const seconds = stated.length === 0 ? 1 : Math.max(1, Math.ceil(Math.min(...stated) / 1000));
  const message = 'Every target of this model is limiting requests at the moment.';
  return new GatewayError('provider_rate_limited', message, { headers: { 'retry-after': String(seconds) } });
}

/** The same for a single failure whose own words are gone. */
export function onlyError(failures: readonly Failure[]): GatewayError {
  const [failure] = failures;
  const kind = kindOf(failure ?? { reason: null, cooldownMs: null });
  if (kind === 'limited') return allLimited(failures);
  if (kind === 'late') return new GatewayError('upstream_timeout', 'The provider did not answer in time.');
  if (failure?.reason === 'auth')
    return new GatewayError('provider_auth', 'The provider refused the gateway’s credential.');
  if (kind === 'unreached') return new GatewayError('upstream_unavailable', 'The provider could not be reached.');
  return new GatewayError('provider_error', 'The provider failed.');
}

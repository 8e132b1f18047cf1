import type { AttemptLogLine, EnvoyWords, WantedAttempt } from '../accounting/envoy-log.js';
import type { AttemptEntry } from '../accounting/ledger/entry.js';
import type { Failure as HealthFailure } from '../providers/health/health.js';
import { accountOf, type UpstreamRequest } from './attempt.js';
import type { Parts } from './parts.js';
import type { Failure, OpenAttempt, RequestState } from './state.js';
import { clusterFor } from './upgrade.js';

/** The reason of an answer that broke off, until Envoy's log says who did it. */
export const CUT = 'cut';

export function openAttempt(parts: Parts, state: RequestState, number: number, request: UpstreamRequest): void {
  const startedTime = parts.clock.now();
  const startedAt = parts.clock.monotonic();
  const { target, wire, call, warnings, credential, secrets, ownKey } = request;
  state.open = {
    number,
    target,
    startedAt,
    startedTime,
    status: null,
    reported: false,
    failure: null,
    wire,
    call,
    warnings,
    credential,
    secrets,
    ownKey,
  };
  parts.health.attemptStarted(target, startedTime);
}

/** Closes the running attempt with its outcome and tells health about it. */
export function closeAttempt(
  parts: Parts,
  state: RequestState,
  outcome: AttemptEntry['outcome'],
  failure: Failure | null,
): void {
  const attempt = state.open;
  if (!attempt) return;
  state.open = null;
  const firstToken = state.firstTokenAt === null ? null : Math.round(state.firstTokenAt - attempt.startedAt);
  state.attemptTimes = [...state.attemptTimes, attempt.startedTime];
  const entry: AttemptEntry = {
    target: attempt.target.name,
    status: attempt.status,
    outcome,
    reason: failure?.reason ?? null,
    ms: Math.round(parts.clock.monotonic() - attempt.startedAt),
    first_token_ms: outcome === 'error' || firstToken === null || firstToken < 0 ? null : firstToken,
  };
  state.attempts = [...state.attempts, entry];
  if (outcome === 'error') {
    const { reason, cooldownMs } = failure ?? { reason: null, cooldownMs: null };
    state.failures = [...state.failures, { target: entry.target, reason, cooldownMs }];
  }
  parts.report.attempt(attempt.target.provider, outcome);
  if (failure?.reason === 'auth' && !attempt.ownKey) parts.report.credentialRefused(attempt.target.provider);
  const learned = !isCredentialsOwn(parts, state, attempt, failure);
  tellHealth(parts, { attempt, outcome: learned ? outcome : 'unknown', failure });
}

/** Others of the account's credentials come first when this one was refused or limited. */
export function noteRefusal(parts: Parts, state: RequestState, attempt: OpenAttempt, cooldownMs: number | null): void {
  const { status, ownKey } = attempt;
  if (ownKey) return;
  if (status !== 401 && status !== 403 && status !== 429) return;
  const reason = status === 429 ? 'limited' : 'auth';
  parts.credentials.refused(accountOf(state, attempt.target), attempt.credential, { reason, cooldownMs });
}

/** The target itself is well: what was refused is one of several credentials. */
function isCredentialsOwn(parts: Parts, state: RequestState, attempt: OpenAttempt, failure: Failure | null): boolean {
  if (failure?.reason !== '429' && failure?.reason !== 'auth') return false;
  if (attempt.ownKey) return true;
  return parts.credentials.hasOther(accountOf(state, attempt.target), attempt.credential);
}

interface Ended {
  readonly attempt: OpenAttempt;
  readonly outcome: AttemptEntry['outcome'];
  readonly failure: Failure | null;
}

function tellHealth(parts: Parts, { attempt, outcome, failure }: Ended): void {
  const now = parts.clock.now();
  const { target, startedTime: startedAt } = attempt;
  const kind = outcome === 'error' ? healthKind(failure) : null;
  if (kind) parts.health.attemptFailed(target, { kind, cooldownMs: failure?.cooldownMs ?? null, startedAt }, now);
  // The client left, or caused the error itself: nothing was learned.
  else if (outcome !== 'success') parts.health.attemptAbandoned(target, now);
  else if (!attempt.reported) reportSuccess(parts, attempt, parts.clock.monotonic());
}

/** Tells health that a target answers. The time of a whole answer stands for its first token where there is none to see. */
export function reportSuccess(parts: Parts, attempt: OpenAttempt, firstTokenAt: number): void {
  attempt.reported = true;
  const ms = firstTokenAt - attempt.startedAt;
  parts.health.attemptSucceeded(attempt.target, ms, parts.clock.now(), attempt.startedTime);
}

const KINDS: ReadonlySet<string> = new Set([
  'connect',
  'reset',
  'timeout',
  'first_token',
  'error_event',
  'empty',
  'auth',
  'cut',
  'stall',
]);

function healthKind(failure: Failure | null): HealthFailure['kind'] | null {
  const reason = failure?.reason ?? null;
  // Nothing came back and nobody knows why yet: the transport.
  if (reason === null) return 'connect';
  if (reason === '429') return 'rate_limited';
  if (/^5\d\d$/.test(reason)) return 'server';
  return KINDS.has(reason) ? (reason as HealthFailure['kind']) : null;
}

/** True when something about this request is only in Envoy's logs. */
export function needsWords(state: RequestState): boolean {
  return state.attempts.some(
    (attempt) => attempt.outcome !== 'success' && (attempt.reason === null || attempt.reason === CUT),
  );
}

function isUnexplained(attempt: AttemptEntry): boolean {
  return attempt.outcome === 'error' && attempt.reason === null;
}

/** Attempts from which nothing came back, as Envoy's log knows them. */
export function unexplained(parts: Parts, state: RequestState): WantedAttempt[] {
  return state.attempts.flatMap((attempt, at) => {
    const provider = attempt.target.slice(0, attempt.target.indexOf('/'));
    const startedAt = state.attemptTimes[at] ?? 0;
    return isUnexplained(attempt) ? [{ cluster: clusterFor(parts, state, provider), startedAt }] : [];
  });
}

/** Completes the attempts with what Envoy's logs say, and the request with who ended it. */
export function explain(parts: Parts, state: RequestState, words: EnvoyWords): void {
  let asked = 0;
  state.attempts = state.attempts.map((attempt) => {
    if (isUnexplained(attempt)) return { ...attempt, reason: transportReason(words.attempts[asked++] ?? null) };
    return attempt.reason === CUT ? { ...attempt, ...whoCut(parts, state, words) } : attempt;
  });
}

function transportReason(line: AttemptLogLine | null): string {
  if (!line) return 'unknown';
  const flags = new Set(line.flags);
  if (flags.has('UT')) return 'timeout';
  if (flags.has('UF') || flags.has('UH') || flags.has('NC') || flags.has('UO')) return 'connect';
  return line.status >= 400 && flags.size === 0 ? String(line.status) : 'reset';
}

/** A broken answer: the client left, the provider broke it, or a clock of Envoy's ran out. */
function whoCut(parts: Parts, state: RequestState, { end }: EnvoyWords): Pick<AttemptEntry, 'reason' | 'outcome'> {
  const flags = new Set(end?.flags ?? []);
  // Of bytes that nobody here has seen only Envoy knows whether they were all.
  if (end !== null && flags.size === 0 && state.endpoint?.wire === 'raw') {
    if (state.status < 400) return { outcome: 'success', reason: null };
    return { outcome: 'error', reason: String(state.status) };
  }
  if (flags.has('DC') || end === null) {
    if (flags.has('DC')) state.code = 'client_closed';
    return { outcome: 'aborted', reason: flags.has('DC') ? 'client_closed' : CUT };
  }
  // Broken before anything left Envoy: the client got an answer of Envoy's own in place of the provider's.
  if (end.status >= 400) state.status = end.status;
  const late = flags.has('UT') || flags.has('SI') || flags.has('DT');
  state.code = late ? 'upstream_timeout' : 'provider_error';
  if (state.served) {
    const failure: HealthFailure = { kind: late ? 'stall' : 'cut', cooldownMs: null, startedAt: state.servedSince };
    parts.health.attemptFailed(state.served, failure, parts.clock.now());
  }
  return { outcome: 'error', reason: late ? 'timeout' : 'reset' };
}

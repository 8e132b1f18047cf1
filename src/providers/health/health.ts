import type { Target } from '../../config/snapshot.js';

/**
 * Why an attempt failed, as far as the target is to blame. What the client caused (400, 404, 413, 422, a client that
 * left) is no failure here: report it with `attemptAbandoned`.
 */
export type FailureKind =
  | 'rate_limited'
  | 'server'
  | 'connect'
  | 'reset'
  | 'timeout'
  | 'first_token'
  | 'error_event'
  | 'empty'
  | 'auth'
  | 'cut'
  | 'stall';

export interface Failure {
  readonly kind: FailureKind;
  /** Milliseconds that the target asked to be left alone (`readCooldown`); null = it said nothing. */
  readonly cooldownMs: number | null;
  /**
   * When the attempt began, by the clock of `now`. With it, attempts older than the breaker's last change cannot move it;
   * without it every report counts as new.
   */
  readonly startedAt?: number;
}

/** `open`: left alone. `half_open`: one attempt at a time may find out; until then it counts as unhealthy. */
export type BreakerState = 'closed' | 'open' | 'half_open';

export type HealthWord = 'healthy' | 'degraded' | 'ejected' | 'unknown';

export interface TargetView {
  /** `provider/model`. */
  readonly target: string;
  /** Of the target's own breaker; the provider's is in the provider's view. */
  readonly state: BreakerState;
  /** Epoch milliseconds until which the target is left alone; null unless open. */
  readonly until: number | null;
  /** 0 to 1 over the last outcomes; null without any. */
  readonly errorRate: number | null;
  /** Moving average, milliseconds. */
  readonly firstTokenMs: number | null;
}

export interface ProviderView {
  readonly health: HealthWord;
  /** Epoch milliseconds; null unless ejected. */
  readonly ejectedUntil: number | null;
  readonly errorRate: number | null;
  readonly targets: readonly TargetView[];
}

/** What attempts tell about targets, and what follows for the order. Times are epoch milliseconds. */
export interface AttemptReports {
  attemptStarted(target: Target, now: number): void;
  attemptFailed(target: Target, failure: Failure, now: number): void;
  /**
   * Best called at the first token of a stream (a later cut is then reported as well), or at the end of a whole answer.
   * @param firstTokenMs null when it says nothing about speed
   */
  attemptSucceeded(target: Target, firstTokenMs: number | null, now: number, startedAt?: number): void;
  /** Ended without a verdict: the client left, or caused the error itself. Only frees the trial that it may have been. */
  attemptAbandoned(target: Target, now: number): void;
}

export interface Health extends AttemptReports {
  /** The result of an active probe of the account (no target, no tokens); null = it answered well. */
  probed(provider: string, failure: FailureKind | null, now: number): void;
  /**
   * The same targets: healthy ones, and at most one that is due for a trial, keep their places; the others come last,
   * the one that is due soonest first. Never fewer. Call it once per request: it reserves the trial.
   */
  order<T extends Target>(targets: readonly T[], now: number): readonly T[];
  view(provider: string, now: number): ProviderView;
  /** Milliseconds to the first token, made worse by failures; null = not known, or not measured lately. */
  latency(target: Target): number | null;
}

import type { FailureKind } from './health.js';

/** All numbers that decide about health. Source: design, section 2 "Attempts", for the cooldown. */
export interface HealthRules {
  /** Pause of an open breaker when the provider states none. */
  readonly cooldownMs: number;
  /** A provider's own wish is followed up to here. */
  readonly longestCooldownMs: number;
  /** Given up after so long without a report, so that a lost trial does not keep a target out. */
  readonly trialMs: number;
  /** How long `order` keeps a trial for a request that has not started it. */
  readonly reservationMs: number;
  /** Points of failures in a row that open a breaker; a success sets them to 0. */
  readonly openAt: number;
  /** Share of failures that opens a target's breaker too, over at least `leastOutcomes` in `windowMs`. */
  readonly openRatio: number;
  readonly leastOutcomes: number;
  readonly windowMs: number;
  /** Entries kept in memory; names come from requests, so they have to be bounded. */
  readonly mostTargets: number;
}

export const HEALTH_RULES: HealthRules = {
  cooldownMs: 5_000,
  longestCooldownMs: 60_000,
  trialMs: 15_000,
  reservationMs: 2_000,
  openAt: 6,
  openRatio: 0.5,
  leastOutcomes: 10,
  windowMs: 30_000,
  mostTargets: 2_000,
};

/** In a row: two refused, unauthorised or rate-limited attempts, or three of the others, open a target. */
export const TARGET_POINTS: Readonly<Record<FailureKind, number>> = {
  connect: 3,
  auth: 3,
  rate_limited: 3,
  server: 2,
  reset: 2,
  timeout: 2,
  first_token: 2,
  error_event: 2,
  empty: 2,
  cut: 2,
  stall: 2,
};

/**
 * Two connection failures, whatever the models, are the host's; three refused credentials in a row are the account's
 * (a single model may be forbidden to it). The rest counts for the provider only when several of its targets open.
 */
export const PROVIDER_POINTS: Readonly<Partial<Record<FailureKind, number>>> = { connect: 3, auth: 2 };

/** A probe asks the account itself, so that its 5xx and time-outs are the provider's. */
export const PROBE_POINTS: Readonly<Partial<Record<FailureKind, number>>> = {
  ...PROVIDER_POINTS,
  server: 2,
  timeout: 2,
};

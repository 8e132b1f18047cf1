import type { BreakerState } from './health.js';
import type { HealthRules } from './rules.js';

export interface BreakerFailure {
  /** Added to the run of failures; the breaker opens at `rules.openAt`. */
  readonly points: number;
  /** Opens at once, for this long. */
  readonly statedMs: number | null;
  /** The error ratio of the window alone is reason enough. */
  readonly tooMany: boolean;
  /** null = not known. */
  readonly startedAt: number | null;
}

interface Trial {
  /** From then on it is given up. */
  readonly until: number;
  readonly started: boolean;
}

/** A trial was let in after a stated pause and failed: the statement was too short. */
const LEAST_AFTER_TRIAL_MS = 1_000;

/**
 * The state of one target or provider. Reports of attempts that began before the last change say nothing about the
 * time after it and change nothing: 50 that fail together open it once, and late ones do not open it again.
 */
export class Breaker {
  readonly #rules: HealthRules;
  #isOpen = false;
  #until = 0;
  #points = 0;
  #changedAt = Number.NEGATIVE_INFINITY;
  /** Opened because the provider asked for it: only time closes that. */
  #asked = false;
  #trial: Trial | null = null;

  constructor(rules: HealthRules) {
    this.#rules = rules;
  }

  /** Epoch milliseconds; meaningful unless closed. */
  get until(): number {
    return this.#until;
  }

  /** When it last opened or closed; -Infinity = never. */
  get changedAt(): number {
    return this.#changedAt;
  }

  state(now: number): BreakerState {
    if (!this.#isOpen) return 'closed';
    return now < this.#until ? 'open' : 'half_open';
  }

  /** Closed, or half-open with no trial under way. */
  mayTry(now: number): boolean {
    const state = this.state(now);
    return state === 'closed' || (state === 'half_open' && this.#runningTrial(now) === null);
  }

  /** Keeps the trial for whoever was just told to go first; it lapses when no attempt starts. */
  reserve(now: number): void {
    if (this.state(now) !== 'half_open') return;
    this.#trial = { until: now + this.#rules.reservationMs, started: false };
  }

  /** An attempt begins: when a trial is due, this is it. */
  started(now: number): void {
    if (this.state(now) !== 'half_open' || this.#runningTrial(now)?.started === true) return;
    this.#trial = { until: now + this.#rules.trialMs, started: true };
  }

  /** The trial, if any, ends without a verdict; the next attempt may be one. */
  abandoned(): void {
    if (this.#trial?.started === true) this.#trial = null;
  }

  /** True when this opened it (again). */
  failed(failure: BreakerFailure, now: number): boolean {
    const isTrial = this.#endsTrial(failure.startedAt, now);
    if (failure.statedMs !== null && failure.statedMs > 0) {
      this.open(isTrial ? Math.max(failure.statedMs, LEAST_AFTER_TRIAL_MS) : failure.statedMs, now);
      this.#asked = true;
      return true;
    }
    if (isTrial) return this.open(this.#rules.cooldownMs, now);
    if (this.#isOpen || this.#isStale(failure.startedAt)) return false;
    this.#points += failure.points;
    return failure.tooMany || this.#points >= this.#rules.openAt ? this.open(this.#rules.cooldownMs, now) : false;
  }

  /** Closes a half-open breaker; an open one only by an attempt that is known to have begun after it opened. */
  succeeded(now: number, startedAt: number | null): void {
    if (this.#isStale(startedAt)) return;
    this.#points = 0;
    if (!this.#isOpen) return;
    if (this.state(now) === 'open' && (startedAt === null || this.#asked)) return;
    this.#isOpen = false;
    this.#until = 0;
    this.#changedAt = now;
    this.#trial = null;
    this.#asked = false;
  }

  /** Opens for `pauseMs`, or stays open for longer. */
  open(pauseMs: number, now: number): true {
    if (this.state(now) !== 'open') {
      this.#changedAt = now;
      this.#asked = false;
    }
    this.#isOpen = true;
    this.#until = Math.max(this.#until, now + pauseMs);
    this.#points = 0;
    this.#trial = null;
    return true;
  }

  #runningTrial(now: number): Trial | null {
    return this.#trial !== null && now < this.#trial.until ? this.#trial : null;
  }

  /** Of a half-open time only what began in it counts: attempts of the time before fail late and prove nothing. */
  #endsTrial(startedAt: number | null, now: number): boolean {
    if (this.state(now) !== 'half_open') return false;
    return startedAt === null ? this.#trial?.started === true : startedAt >= this.#until;
  }

  #isStale(startedAt: number | null): boolean {
    return startedAt !== null && startedAt < this.#changedAt;
  }
}

import type { Subject } from '../../config/condition.js';
import type { LimitRule } from '../../config/limit-rules.js';
import type { Amounts, CounterState } from '../../store/counter-store.js';

/** The limits that cover one request, with the counters that it would use. */
export interface Covering {
  /** Empty: nothing to hold. */
  readonly rules: readonly LimitRule[];
  /** Tokens or cost are counted: the bounds must be worth something. */
  readonly countsTokens: boolean;
  readonly countsCost: boolean;
  /** A cost limit that does not only watch: an unknown price is refused, an answer without a bound gets one. */
  readonly hardCost: boolean;
}

/** What a held request keeps until it is settled. */
export interface HeldLimits {
  readonly id: string;
  /** Places with the amount held, for the ledger: counters are rebuilt from it. */
  readonly places: Readonly<Record<string, number>>;
  /** The six `x-ratelimit-*` of the tightest limits that count requests and tokens; empty when none does, and once they were sent. */
  headers: readonly (readonly [name: string, value: string])[];
  /** Limits that would have refused, were they not only watching. */
  readonly shadowed: readonly string[];
}

/** A refusal in the words of the client's answer. */
export interface LimitRefusal {
  readonly code: 'rate_limit_exceeded' | 'concurrency_limit_exceeded' | 'insufficient_quota' | 'limits_unavailable';
  /** Says which limit, how much of it is used, and when it resets. */
  readonly message: string;
  /** `retry-after`, `x-should-retry`, `x-ratelimit-*`. */
  readonly headers: Readonly<Record<string, string>>;
  readonly limit: string | null;
}

export type LimitVerdict =
  | { readonly kind: 'held'; readonly held: HeldLimits }
  | { readonly kind: 'refused'; readonly refusal: LimitRefusal }
  /** Serve this model instead, and ask again with `without` naming the limit, which then only counts. */
  | { readonly kind: 'use'; readonly model: string; readonly limit: string };

export interface LimitAsk {
  readonly id: string;
  readonly subject: Subject;
  readonly covering: Covering;
  /** Upper bounds. */
  readonly amounts: Amounts;
  readonly ttlMs: number;
  /** Limits whose `use` has already been followed. */
  readonly without: readonly string[];
}

/** A share of a limit was crossed. Told at most once per counter, share and window by each process. */
export interface Threshold {
  readonly limit: string;
  readonly of: string;
  /** Values of `per`, in order. */
  readonly partition: readonly string[];
  readonly share: number;
  readonly used: bigint;
  readonly max: bigint;
  readonly resetsAt: number | null;
  readonly place: string;
}

/** One row of `GET /api/v1/limits`. */
export interface LimitRow {
  readonly limit: string;
  readonly of: string;
  readonly partition: Readonly<Record<string, string>>;
  readonly state: CounterState;
  readonly max: bigint;
  readonly action: string;
}

/** Checks and settles all limits of one snapshot. */
export interface Limiter {
  /** Cheap: an index skips the limits that cannot match. Conditions that name limits are read from the store first. */
  covering(subject: Subject, done: (covering: Covering) => void): void;
  hold(ask: LimitAsk, done: (verdict: LimitVerdict) => void): void;
  /** Keeps trying while the store is unreachable, within a bound; never throws. */
  settle(id: string, actual: Amounts): void;
  /**
   * The subject with `limit(name)` answered for these names, for conditions outside limits (routes). In the same turn when
   * `names` is empty. An unreachable store answers nothing used.
   */
  states(names: readonly string[], subject: Subject, done: (known: Subject) => void): void;
  /** Counters that this process has seen lately, with their present state. */
  rows(done: (rows: readonly LimitRow[]) => void): void;
}

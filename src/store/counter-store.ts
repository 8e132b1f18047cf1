/** What a counter counts. `tokens` is input and output together. */
export type Dimension = 'requests' | 'input_tokens' | 'output_tokens' | 'tokens' | 'cost' | 'concurrent';

/** Whole numbers, 0 or more; `cost` in nano-dollars. `concurrent` is never part of it: a hold counts as one while it is open. */
export type Amounts = Readonly<Record<Exclude<Dimension, 'concurrent'>, number>>;

export type CounterWindow =
  | { readonly kind: 'duration'; readonly ms: number; readonly sliding: boolean }
  | {
      readonly kind: 'calendar';
      readonly unit: 'minute' | 'hour' | 'day' | 'week' | 'month';
      readonly timeZone: string;
    }
  | { readonly kind: 'total' };

/** One counter: one dimension of one limit for one partition of the requests. */
export interface Counter {
  /**
   * Unique and stable over restarts and processes: `<limit>|<dimension>|<window>|<partition>`, without control characters
   * and `@`, the first three parts without `|`. The window is written as by `windowText`: a store that is seeded reads it.
   */
  readonly key: string;
  readonly of: Dimension;
  /** `total` for `concurrent`. */
  readonly window: CounterWindow;
  readonly max: bigint;
  /** False: counted, never refused. */
  readonly enforced: boolean;
}

export interface HoldRequest {
  /** The request's id: a second hold of the same id is answered as the first one was. */
  readonly id: string;
  readonly counters: readonly Counter[];
  /** Upper bound of what the request will use. */
  readonly amounts: Amounts;
  /** A hold that nobody settles by then counts as used. */
  readonly ttlMs: number;
}

/** State of one counter in its present window. */
export interface CounterState {
  /** Settled. */
  readonly used: bigint;
  /** Open holds. */
  readonly held: bigint;
  /**
   * `<counter key>@<start of its window or, sliding, of its slot, epoch ms>`: what the ledger notes, so that counters can be
   * rebuilt from it.
   */
  readonly place: string;
  /** Epoch milliseconds of the store's clock at which the window ends; null for `total` and `concurrent`. */
  readonly resetsAt: number | null;
  /** Milliseconds from now until then. */
  readonly resetsInMs: number | null;
}

export type HoldResult =
  /** All are held; states include this hold. */
  | { readonly kind: 'held'; readonly states: readonly CounterState[] }
  /** Nothing is held; states as they were. `exceeded`: indexes into `counters`. */
  | { readonly kind: 'refused'; readonly states: readonly CounterState[]; readonly exceeded: readonly number[] }
  | { readonly kind: 'unavailable'; readonly error: Error };

export type SettleResult =
  /** States in the order in which the hold named its counters, after settling. */
  | { readonly kind: 'settled'; readonly states: readonly CounterState[] }
  /** Settled before, expired, or never held: nothing was changed. */
  | { readonly kind: 'unknown' }
  | { readonly kind: 'unavailable'; readonly error: Error };

export type ReadResult =
  | { readonly kind: 'read'; readonly states: readonly CounterState[] }
  | { readonly kind: 'unavailable'; readonly error: Error };

/** What the ledger knows of the present windows, for a store that has lost its memory or never had any. */
export interface Seed {
  /** Name of the ledger that tells it: each one is added once to an empty store. */
  readonly source: string;
  /** Place → sum of what was settled there. */
  readonly used: ReadonlyMap<string, bigint>;
  /** Open holds of living or crashed processes: id → place → amount. */
  readonly holds: ReadonlyMap<string, { readonly places: ReadonlyMap<string, number>; readonly ttlMs: number }>;
}

/**
 * Counters with reservations. Every operation is atomic over all counters that it names. Callbacks come exactly once, in the
 * same turn where nothing has to be waited for. Time is the store's and never runs backwards.
 */
export interface CounterStore {
  /** Holds on all counters or on none. */
  hold(request: HoldRequest, done: (result: HoldResult) => void): void;
  /** Replaces a hold by what was really used, in the windows in which it was made. Idempotent by id. */
  settle(id: string, actual: Amounts, done: (result: SettleResult) => void): void;
  read(counters: readonly Counter[], done: (result: ReadResult) => void): void;
  seed(seed: Seed, done: (error: Error | null) => void): void;
}

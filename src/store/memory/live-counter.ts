import type { CounterState, Dimension } from '../counter-store.js';

/** A counter's present window. What lies in earlier ones is forgotten. Sums are exact. */
export interface LiveCounter {
  readonly key: string;
  readonly of: Dimension;
  readonly used: bigint;
  readonly held: bigint;
  /** Start of the window or, sliding, of the slot in which is counted now: what a hold notes. */
  readonly start: number;
  /** Holds that know this object, open or remembered. */
  holds: number;
  /** Those of the last finished hold that named this counter first, for the next one. */
  together: readonly LiveCounter[];
  /** Must come before anything else is asked or changed. `now` never runs backwards. */
  advance(now: number): void;
  /** Counts in the window or slot that begins at `start`; without effect if that is over. */
  change(start: number, used: bigint, held: bigint): void;
  state(now: number): CounterState;
  /** What was settled, by window or slot. */
  settled(): Iterable<readonly [start: number, used: bigint]>;
}

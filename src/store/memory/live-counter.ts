import type { CounterState, Dimension } from '../counter-store.js';

/** A counter's present window. What lies in earlier ones is forgotten. Sums are exact. */
export interface LiveCounter {
  readonly key: string;
  readonly of: Dimension;
  /** Nothing is used and nothing held. */
  readonly isIdle: boolean;
  /** Start of the window or, sliding, of the slot in which is counted now: what a hold notes. */
  readonly start: number;
  /** Holds that know this object, open or remembered. */
  holds: number;
  /** Those of the last hold that named this counter first, for the next one. */
  together: readonly LiveCounter[];
  /** Must come before anything else is asked or changed. `now` never runs backwards. */
  advance(now: number): void;
  /** Whether used, held and `amount` together are more than `most`. */
  passes(amount: number, most: bigint): boolean;
  /** Counts safe integers in the window or slot that begins at `start`; without effect if that is over. */
  change(start: number, used: number, held: number): void;
  /** Counts what was used before, however much. */
  restore(start: number, used: bigint): void;
  state(now: number): CounterState;
  /** What was settled, by window or slot. */
  settled(): Iterable<readonly [start: number, used: bigint]>;
}

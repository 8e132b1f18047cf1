import type { CounterState } from '../../store/counter-store.js';
import type { Threshold } from './limiter.js';
import { usedOf } from './measure.js';
import type { Slot } from './slots.js';

/** What has been told, by place and share. An entry that falls out of it may be told again. */
export interface Told {
  has(name: string): boolean;
  set(name: string, told: true): unknown;
}

/** Tells each share of `alert_at` once per counter and window. Used is what `measure.ts` says. */
export class Thresholds {
  readonly #told: Told;
  readonly #tell: (threshold: Threshold) => void;

  constructor(told: Told, tell: (threshold: Threshold) => void) {
    this.#told = told;
    this.#tell = tell;
  }

  look(slots: readonly Slot[], states: readonly CounterState[]): void {
    for (const [index, slot] of slots.entries()) {
      const state = states[index];
      if (state !== undefined && slot.rule.alertAt.length > 0) this.#lookAt(slot, state);
    }
  }

  #lookAt({ rule, counter, partition }: Slot, state: CounterState): void {
    const used = usedOf(counter, state);
    const { max } = counter;
    if (used === 0n || max === 0n) return;
    const ratio = Number(used) / Number(max);
    for (const share of rule.alertAt) {
      // Ascending: the others are not reached either.
      if (ratio < share) return;
      const name = `${state.place}|${share}`;
      if (this.#told.has(name)) continue;
      this.#told.set(name, true);
      const { resetsAt, place } = state;
      this.#tell({ limit: rule.name, of: counter.of, partition, share, used, max, resetsAt, place });
    }
  }
}

import type { CounterState } from '../../store/counter-store.js';
import { amountOf } from './amounts.js';
import type { Threshold } from './limiter.js';
import { usedOf } from './measure.js';
import type { Refused } from './refusal.js';
import type { Slot } from './slots.js';

/** What has been told, by place and share. An entry that falls out of it may be told again. */
export interface Told {
  has(name: string): boolean;
  set(name: string, told: true): unknown;
}

/** A request is small if the limit has room for so many of its kind. */
const SMALL_PART = 10n;

/** Tells each share of `alert_at` once per counter and window. Used is what `measure.ts` says. */
export class Thresholds {
  readonly #told: Told;
  readonly #tell: (threshold: Threshold) => void;

  constructor(told: Told, tell: (threshold: Threshold) => void) {
    this.#told = told;
    this.#tell = tell;
  }

  look(slots: readonly Slot[], states: readonly CounterState[]): void {
    for (let index = 0; index < slots.length; index += 1) {
      const [slot, state] = [slots[index], states[index]];
      if (slot !== undefined && state !== undefined && slot.rule.alertAt.length > 0) this.#lookAt(slot, state);
    }
  }

  /**
   * A budget is rarely used to the last cent: holds stop fitting before. It counts as used up once a small request does not
   * fit any more, the running ones left aside.
   */
  refused({ slots, states, exceeded, amounts }: Refused): void {
    for (const index of exceeded) {
      const slot = slots[index];
      const state = states[index];
      if (slot === undefined || state === undefined || slot.rule.alertAt.length === 0) continue;
      const { of, max } = slot.counter;
      const asked = BigInt(amountOf(of, amounts));
      const usedUp = asked * SMALL_PART <= max && usedOf(slot.counter, state) + asked > max;
      if (usedUp) this.#tellUpTo(1, slot, state);
    }
  }

  #lookAt(slot: Slot, state: CounterState): void {
    const used = Number(usedOf(slot.counter, state));
    const { max } = slot.counter;
    if (used > 0 && max > 0n) this.#tellUpTo(used / Number(max), slot, state);
  }

  #tellUpTo(ratio: number, { rule, counter, partition }: Slot, state: CounterState): void {
    // Nearly always.
    if (ratio < (rule.alertAt[0] ?? 0)) return;
    const used = usedOf(counter, state);
    const { max } = counter;
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

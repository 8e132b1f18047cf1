import type { CounterState, CounterWindow, Dimension } from '../counter-store.js';
import { placeText } from '../place.js';
import { type WindowClock, windowClock } from '../windows/window-clock.js';
import { ExactSum } from './exact-sum.js';
import type { LiveCounter } from './live-counter.js';

/** Windows that follow each other. */
export class FixedCounter implements LiveCounter {
  readonly key: string;
  readonly of: Dimension;
  start = -1;
  holds = 0;
  together: readonly LiveCounter[] = [];
  readonly #clock: WindowClock;
  readonly #used = new ExactSum();
  readonly #held = new ExactSum();
  #end = -1;
  #place = '';

  constructor(key: string, of: Dimension, window: CounterWindow) {
    this.key = key;
    this.of = of;
    this.#clock = windowClock(window);
  }

  advance(now: number): void {
    if (now < this.#end) return;
    const { start, end } = this.#clock.at(now);
    this.start = start;
    this.#end = end;
    this.#place = placeText(this.key, start);
    this.#used.clear();
    this.#held.clear();
  }

  get isIdle(): boolean {
    return this.#used.isZero && this.#held.isZero;
  }

  passes(amount: number, most: bigint): boolean {
    return this.#used.passes(this.#held, amount, most);
  }

  change(start: number, used: number, held: number): void {
    if (start !== this.start) return;
    this.#used.add(used);
    this.#held.add(held);
  }

  restore(start: number, used: bigint): void {
    if (start === this.start) this.#used.addLarge(used);
  }

  state(now: number): CounterState {
    const endless = this.#end === Number.POSITIVE_INFINITY;
    return {
      used: this.#used.value,
      held: this.#held.value,
      place: this.#place,
      resetsAt: endless ? null : this.#end,
      resetsInMs: endless ? null : this.#end - now,
    };
  }

  settled(): Iterable<readonly [start: number, used: bigint]> {
    return [[this.start, this.#used.value]];
  }
}

import type { CounterState, CounterWindow, Dimension } from '../counter-store.js';
import { placeText } from '../place.js';
import { type WindowClock, windowClock } from '../windows/window-clock.js';
import type { LiveCounter } from './live-counter.js';

/** Windows that follow each other. */
export class FixedCounter implements LiveCounter {
  readonly key: string;
  readonly of: Dimension;
  used = 0n;
  held = 0n;
  start = -1;
  holds = 0;
  together: readonly LiveCounter[] = [];
  readonly #clock: WindowClock;
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
    this.used = 0n;
    this.held = 0n;
  }

  change(start: number, used: bigint, held: bigint): void {
    if (start !== this.start) return;
    this.used += used;
    this.held += held;
  }

  state(now: number): CounterState {
    const endless = this.#end === Number.POSITIVE_INFINITY;
    return {
      used: this.used,
      held: this.held,
      place: this.#place,
      resetsAt: endless ? null : this.#end,
      resetsInMs: endless ? null : this.#end - now,
    };
  }

  settled(): Iterable<readonly [start: number, used: bigint]> {
    return [[this.start, this.used]];
  }
}

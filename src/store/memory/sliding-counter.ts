import type { CounterState, Dimension } from '../counter-store.js';
import { placeText } from '../place.js';
import { SLOTS, slotLength } from '../windows/window-clock.js';
import type { LiveCounter } from './live-counter.js';

/** The slots that a window touches: it seldom begins where one begins. */
const RING = SLOTS + 2;

/**
 * A rolling window as the sum of slots. A slot counts in full until its last millisecond has left the window, so that no
 * interval of the window's length ever lets more than the maximum through.
 */
export class SlidingCounter implements LiveCounter {
  readonly key: string;
  readonly of: Dimension;
  /** Of all slots that count. */
  used = 0n;
  held = 0n;
  start = -1;
  holds = 0;
  together: readonly LiveCounter[] = [];
  readonly #ms: number;
  readonly #length: number;
  readonly #used: bigint[] = new Array<bigint>(RING).fill(0n);
  readonly #held: bigint[] = new Array<bigint>(RING).fill(0n);
  /** Numbers of the first and last slot that count. */
  #first = 0;
  #last = -1;
  #place = '';

  constructor(key: string, of: Dimension, ms: number) {
    this.key = key;
    this.of = of;
    this.#ms = ms;
    this.#length = slotLength(ms);
  }

  advance(now: number): void {
    const last = Math.floor(now / this.#length);
    const first = Math.floor((now - this.#ms + 1) / this.#length);
    if (first > this.#first) this.#forget(first);
    if (last === this.#last) return;
    this.#last = last;
    this.start = last * this.#length;
    this.#place = placeText(this.key, this.start);
  }

  change(start: number, used: bigint, held: bigint): void {
    const slot = start / this.#length;
    if (slot < this.#first || slot > this.#last || !Number.isInteger(slot)) return;
    const index = slot % RING;
    this.#used[index] = (this.#used[index] ?? 0n) + used;
    this.#held[index] = (this.#held[index] ?? 0n) + held;
    this.used += used;
    this.held += held;
  }

  state(now: number): CounterState {
    // All that counts now has left by then.
    const resetsAt = this.start + this.#length + this.#ms;
    return { used: this.used, held: this.held, place: this.#place, resetsAt, resetsInMs: resetsAt - now };
  }

  *settled(): Iterable<readonly [start: number, used: bigint]> {
    for (let slot = this.#first; slot <= this.#last; slot += 1) {
      yield [slot * this.#length, this.#used[slot % RING] ?? 0n];
    }
  }

  #forget(first: number): void {
    const end = Math.min(first, this.#last + 1);
    for (let slot = this.#first; slot < end; slot += 1) {
      const index = slot % RING;
      this.used -= this.#used[index] ?? 0n;
      this.held -= this.#held[index] ?? 0n;
      this.#used[index] = 0n;
      this.#held[index] = 0n;
    }
    this.#first = first;
  }
}

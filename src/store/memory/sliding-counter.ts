import type { CounterState, Dimension } from '../counter-store.js';
import { placeText } from '../place.js';
import { SLOTS, slotLength } from '../windows/window-clock.js';
import { ExactSum } from './exact-sum.js';
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
  start = -1;
  holds = 0;
  together: readonly LiveCounter[] = [];
  readonly #ms: number;
  readonly #length: number;
  /** Of all slots that count. */
  readonly #used = new ExactSum();
  readonly #held = new ExactSum();
  readonly #usedIn: bigint[] = new Array<bigint>(RING).fill(0n);
  readonly #heldIn: bigint[] = new Array<bigint>(RING).fill(0n);
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

  get isIdle(): boolean {
    return this.#used.isZero && this.#held.isZero;
  }

  passes(amount: number, most: bigint): boolean {
    return this.#used.passes(this.#held, amount, most);
  }

  change(start: number, used: number, held: number): void {
    const slot = this.#slotAt(start);
    if (slot < 0) return;
    if (used !== 0) this.#usedIn[slot] = (this.#usedIn[slot] ?? 0n) + BigInt(used);
    if (held !== 0) this.#heldIn[slot] = (this.#heldIn[slot] ?? 0n) + BigInt(held);
    this.#used.add(used);
    this.#held.add(held);
  }

  restore(start: number, used: bigint): void {
    const slot = this.#slotAt(start);
    if (slot < 0) return;
    this.#usedIn[slot] = (this.#usedIn[slot] ?? 0n) + used;
    this.#used.addLarge(used);
  }

  state(now: number): CounterState {
    // All that counts now has left by then.
    const resetsAt = this.start + this.#length + this.#ms;
    return { used: this.#used.value, held: this.#held.value, place: this.#place, resetsAt, resetsInMs: resetsAt - now };
  }

  *settled(): Iterable<readonly [start: number, used: bigint]> {
    for (let slot = this.#first; slot <= this.#last; slot += 1) {
      yield [slot * this.#length, this.#usedIn[slot % RING] ?? 0n];
    }
  }

  /** Place in the ring of the slot that begins at `start`; -1 for one that does not count any more. */
  #slotAt(start: number): number {
    const slot = start / this.#length;
    if (slot < this.#first || slot > this.#last || !Number.isInteger(slot)) return -1;
    return slot % RING;
  }

  #forget(first: number): void {
    const end = Math.min(first, this.#last + 1);
    for (let slot = this.#first; slot < end; slot += 1) {
      const index = slot % RING;
      this.#used.addLarge(-(this.#usedIn[index] ?? 0n));
      this.#held.addLarge(-(this.#heldIn[index] ?? 0n));
      this.#usedIn[index] = 0n;
      this.#heldIn[index] = 0n;
    }
    this.#first = first;
  }
}

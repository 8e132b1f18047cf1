import type { Counter, CounterWindow, Dimension } from '../counter-store.js';
import { FixedCounter } from './fixed-counter.js';
import type { LiveCounter } from './live-counter.js';
import { SlidingCounter } from './sliding-counter.js';

/** Looked at with each operation, so that idle counters go without a pause. */
const STEP = 2;
/** Looked at when the table is full: still far below a millisecond. */
const LONG_STEP = 1000;

/**
 * The counters that count something, at most `most`. One that has nothing used and nothing held is forgotten sooner or
 * later; one that has is kept until its window ends, since forgetting it would give its limit out twice.
 */
export class CounterTable {
  readonly #counters = new Map<string, LiveCounter>();
  readonly #most: number;
  #sweep = this.#counters.values();

  constructor(most: number) {
    this.#most = most;
  }

  get size(): number {
    return this.#counters.size;
  }

  values(): IterableIterator<LiveCounter> {
    return this.#counters.values();
  }

  /** Forgets a few that are idle. Not between `open` and the use of what it answered. */
  tidy(now: number): void {
    this.#tidy(now, STEP);
  }

  /** False: there is no room for so many new ones. */
  hasRoom(counters: readonly Counter[], now: number): boolean {
    if (this.#counters.size + counters.length <= this.#most) return true;
    const missing = counters.filter(({ key }) => !this.#counters.has(key)).length;
    if (missing > 0 && this.#counters.size + missing > this.#most) this.#tidy(now, LONG_STEP);
    // Again, because those that are named may have been idle.
    const left = counters.filter(({ key }) => !this.#counters.has(key)).length;
    return left === 0 || this.#counters.size + left <= this.#most;
  }

  /** The counter in its present window; made if it is not there. */
  open({ key, of, window }: Pick<Counter, 'key' | 'of' | 'window'>, now: number): LiveCounter {
    let counter = this.#counters.get(key);
    if (counter === undefined) {
      counter = createCounter(key, of, window);
      this.#counters.set(key, counter);
    }
    counter.advance(now);
    return counter;
  }

  /** As `open`, but one that is not there is not kept. */
  peek({ key, of, window }: Counter, now: number): LiveCounter {
    const counter = this.#counters.get(key) ?? createCounter(key, of, window);
    counter.advance(now);
    return counter;
  }

  #tidy(now: number, steps: number): void {
    for (let step = 0; step < steps; step += 1) {
      const { value: counter, done } = this.#sweep.next();
      if (done) {
        this.#sweep = this.#counters.values();
        return;
      }
      if (counter.holds > 0) continue;
      counter.advance(now);
      if (counter.isIdle) this.#counters.delete(counter.key);
    }
  }
}

function createCounter(key: string, of: Dimension, window: CounterWindow): LiveCounter {
  return window.kind === 'duration' && window.sliding
    ? new SlidingCounter(key, of, window.ms)
    : new FixedCounter(key, of, window);
}

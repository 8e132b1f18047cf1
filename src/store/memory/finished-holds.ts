import { LiveMap } from '../live-map.js';
import type { LiveCounter } from './live-counter.js';

/** A hold that has been settled or has expired, remembered so that a late repetition counts nothing. */
export interface FinishedHold {
  readonly id: string;
  readonly counters: readonly LiveCounter[];
  /** Epoch milliseconds. */
  readonly until: number;
}

/** Forgotten places at the front of the queue that are cut off at once. */
const CUT = 4096;

/**
 * Finished holds by id and in the order in which they are forgotten. There are as many as requests come in a minute: no object for each.
 */
export class FinishedHolds {
  readonly #counters = LiveMap.byText<readonly LiveCounter[]>();
  /** A queue from `#first` on. */
  #ids: string[] = [];
  #untils: number[] = [];
  #first = 0;

  /** `until` is never earlier than of those before. */
  add(id: string, counters: readonly LiveCounter[], until: number): void {
    this.#counters.set(id, counters);
    this.#ids.push(id);
    this.#untils.push(until);
  }

  countersOf(id: string): readonly LiveCounter[] | undefined {
    return this.#counters.get(id);
  }

  /** When the next one is to be forgotten; infinity when there is none. */
  get next(): number {
    return this.#untils[this.#first] ?? Number.POSITIVE_INFINITY;
  }

  /** Takes out the next one. */
  take(): readonly LiveCounter[] {
    const id = this.#ids[this.#first] ?? '';
    const counters = this.#counters.get(id) ?? [];
    this.#counters.delete(id);
    this.#first += 1;
    if (this.#first >= CUT && 2 * this.#first >= this.#ids.length) {
      this.#ids = this.#ids.slice(this.#first);
      this.#untils = this.#untils.slice(this.#first);
      this.#first = 0;
    }
    return counters;
  }

  /** The next one to be forgotten first. */
  *all(): Iterable<FinishedHold> {
    for (let at = this.#first; at < this.#ids.length; at += 1) {
      const [id = '', until = 0] = [this.#ids[at], this.#untils[at]];
      yield { id, counters: this.#counters.get(id) ?? [], until };
    }
  }
}

/** The counters of these items, as the list that a hold before had if it had the same ones. */
export function countersOf(items: readonly { readonly counter: LiveCounter }[]): readonly LiveCounter[] {
  const first = items[0]?.counter;
  if (first === undefined) return NONE;
  const { together } = first;
  if (together.length === items.length && items.every(({ counter }, at) => counter === together[at])) return together;
  first.together = items.map(({ counter }) => counter);
  return first.together;
}

const NONE: readonly LiveCounter[] = [];

import { AgedMap } from '../aged-map.js';
import type { CounterState } from '../counter-store.js';
import { type Expiring, ExpiryHeap } from './expiry-heap.js';
import type { LiveCounter } from './live-counter.js';

/** What a request holds on one counter. */
export interface HoldItem {
  readonly counter: LiveCounter;
  /** The window or slot in which the hold was made. */
  readonly start: number;
  readonly amount: bigint;
}

export interface OpenHold extends Expiring {
  readonly id: string;
  readonly items: readonly HoldItem[];
}

/** A hold that has been settled or has expired, remembered so that a late repetition counts nothing. */
export interface FinishedHold {
  readonly counters: readonly LiveCounter[];
  /** Epoch milliseconds. */
  readonly until: number;
}

/** How long the end of a hold is remembered: longer than anything is repeated. */
export const REMEMBER_MS = 60_000;

/** Holds by id, from their beginning until their end is forgotten. */
export class HoldTable {
  readonly #open = new Map<string, OpenHold>();
  readonly #expiry = new ExpiryHeap<OpenHold>();
  /** In the order in which they are forgotten. */
  readonly #finished = new AgedMap<FinishedHold>();
  #forgetAt = Number.POSITIVE_INFINITY;

  get open(): ReadonlyMap<string, OpenHold> {
    return this.#open;
  }

  get finished(): Iterable<readonly [string, FinishedHold]> {
    return this.#finished.entries();
  }

  add(id: string, items: readonly HoldItem[], expiresAt: number): void {
    const hold: OpenHold = { id, items, expiresAt, position: 0 };
    for (const { counter, start, amount } of items) {
      counter.holds += 1;
      counter.change(start, 0n, amount);
    }
    this.#open.set(id, hold);
    this.#expiry.add(hold);
  }

  /** Ends a hold: each counter gets what `used` says instead of what was held. */
  finish(hold: OpenHold, now: number, used: (item: HoldItem) => bigint): void {
    this.#open.delete(hold.id);
    this.#expiry.remove(hold);
    for (const item of hold.items) {
      const { counter, start, amount } = item;
      counter.advance(now);
      counter.change(start, used(item), -amount);
    }
    this.#remember(hold.id, { counters: hold.items.map(({ counter }) => counter), until: now + REMEMBER_MS });
  }

  /** Takes over a hold that ended elsewhere. `until` is never earlier than of those before. */
  remember(id: string, finished: FinishedHold): void {
    for (const counter of finished.counters) counter.holds += 1;
    this.#remember(id, finished);
  }

  /** Lets go what is due. Before anything else that looks at `now`. */
  advance(now: number): void {
    for (let next = this.#expiry.next(); next !== undefined && next.expiresAt <= now; next = this.#expiry.next()) {
      this.finish(next, now, expired);
    }
    if (now >= this.#forgetAt) this.#forget(now);
  }

  /** The states of a hold that is or was there; null for one that never was. */
  states(id: string, now: number): readonly CounterState[] | null {
    const counters = this.#open.get(id)?.items.map(({ counter }) => counter) ?? this.#finished.get(id)?.counters;
    return counters === undefined ? null : counters.map((counter) => stateAt(counter, now));
  }

  #remember(id: string, finished: FinishedHold): void {
    if (this.#finished.size === 0) this.#forgetAt = finished.until;
    this.#finished.add(id, finished);
  }

  #forget(now: number): void {
    this.#forgetAt = Number.POSITIVE_INFINITY;
    for (let oldest = this.#finished.oldest(); oldest !== null; oldest = this.#finished.oldest()) {
      const { until, counters } = oldest.value;
      if (until > now) {
        this.#forgetAt = until;
        return;
      }
      this.#finished.delete(oldest.key);
      for (const counter of counters) counter.holds -= 1;
    }
  }
}

export function stateAt(counter: LiveCounter, now: number): CounterState {
  counter.advance(now);
  return counter.state(now);
}

/** Nobody can say what a request has used that never came back: all that it held. */
function expired({ counter, amount }: HoldItem): bigint {
  return counter.of === 'concurrent' ? 0n : amount;
}

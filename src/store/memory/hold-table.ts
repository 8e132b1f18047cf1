import type { Amounts, CounterState } from '../counter-store.js';
import { LiveMap } from '../live-map.js';
import { type Expiring, ExpiryHeap } from './expiry-heap.js';
import { countersOf, type FinishedHold, FinishedHolds } from './finished-holds.js';
import type { LiveCounter } from './live-counter.js';

/** What a request holds on one counter. */
export interface HoldItem {
  readonly counter: LiveCounter;
  /** The window or slot in which the hold was made. */
  readonly start: number;
  /** A safe integer. */
  readonly amount: number;
}

export interface OpenHold extends Expiring {
  readonly id: string;
  readonly items: readonly HoldItem[];
}

/** How long the end of a hold is remembered: longer than anything is repeated. */
export const REMEMBER_MS = 60_000;

/** Holds by id, from their beginning until their end is forgotten. */
export class HoldTable {
  readonly #open = LiveMap.byText<OpenHold>();
  readonly #expiry = new ExpiryHeap<OpenHold>();
  readonly #finished = new FinishedHolds();

  /** In no order. */
  open(): readonly OpenHold[] {
    return this.#open.values();
  }

  /** Ends an open hold as `actual` says; undefined when there is none of this id. */
  settle(id: string, actual: Amounts, now: number): OpenHold | undefined {
    const hold = this.#open.take(id);
    if (hold !== undefined) this.#finish(hold, now, actual);
    return hold;
  }

  /** The next one to be forgotten first. */
  finished(): Iterable<FinishedHold> {
    return this.#finished.all();
  }

  add(id: string, items: readonly HoldItem[], expiresAt: number): void {
    const hold: OpenHold = { id, items, expiresAt, position: 0 };
    for (const { counter, start, amount } of items) {
      counter.holds += 1;
      counter.change(start, 0, amount);
    }
    this.#open.set(id, hold);
    this.#expiry.add(hold);
  }

  /** Each counter gets what was used instead of what was held. `actual` null: nobody can say, so all that it held. */
  #finish(hold: OpenHold, now: number, actual: Amounts | null): void {
    this.#expiry.remove(hold);
    for (const { counter, start, amount } of hold.items) {
      const used = counter.of === 'concurrent' ? 0 : actual === null ? amount : actual[counter.of];
      counter.advance(now);
      counter.change(start, used, -amount);
    }
    this.#finished.add(hold.id, countersOf(hold.items), now + REMEMBER_MS);
  }

  /** Takes over a hold that ended elsewhere. `until` is never earlier than of those before. */
  remember({ id, counters, until }: FinishedHold): void {
    for (const counter of counters) counter.holds += 1;
    this.#finished.add(id, counters, until);
  }

  /** Lets go what is due. Before anything else that looks at `now`. */
  advance(now: number): void {
    for (let next = this.#expiry.next(); next !== undefined && next.expiresAt <= now; next = this.#expiry.next()) {
      this.#open.delete(next.id);
      this.#finish(next, now, null);
    }
    while (this.#finished.next <= now) for (const counter of this.#finished.take()) counter.holds -= 1;
  }

  /** The states of a hold that is or was there; null for one that never was. */
  states(id: string, now: number): readonly CounterState[] | null {
    const counters = this.#open.get(id)?.items.map(({ counter }) => counter) ?? this.#finished.countersOf(id);
    return counters === undefined ? null : counters.map((counter) => stateAt(counter, now));
  }
}

export function stateAt(counter: LiveCounter, now: number): CounterState {
  counter.advance(now);
  return counter.state(now);
}

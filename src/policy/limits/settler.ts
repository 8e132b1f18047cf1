import { AgedMap } from '../../store/aged-map.js';
import type { Amounts, CounterState, CounterStore } from '../../store/counter-store.js';
import { amountOf, NO_AMOUNTS } from './amounts.js';
import type { LocalShare } from './local-share.js';
import type { Outage } from './outage.js';
import type { RetryQueue, Task } from './retry-queue.js';
import type { SeenCounters } from './seen-counters.js';
import type { Slot } from './slots.js';
import type { Thresholds } from './thresholds.js';

export interface SettlerOptions {
  readonly store: CounterStore;
  readonly local: LocalShare | null;
  readonly outage: Outage;
  readonly seen: SeenCounters;
  readonly thresholds: Thresholds;
  readonly onOvershoot: (limit: string, amount: number, of: string) => void;
  /** Settlements that the store has not answered. */
  readonly queue: RetryQueue;
  /** Holds that may or may not have been made, to be taken back; they must not push out settlements. */
  readonly releases: RetryQueue;
}

interface OpenHold {
  readonly slots: readonly Slot[];
  readonly amounts: Amounts;
}

interface Settlement {
  readonly id: string;
  readonly actual: Amounts;
  /** Null for one that another process made. */
  readonly hold: OpenHold | null;
}

/** More than run at a time; only holds that are never settled fill it up. */
const MOST_OPEN = 100_000;

/** Puts the truth in the place of holds, however long the store is away. */
export class Settler {
  readonly #options: SettlerOptions;
  readonly #open = new AgedMap<OpenHold>();

  constructor(options: SettlerOptions) {
    this.#options = options;
  }

  /** Remembers what was held until it is settled. */
  opened(id: string, hold: OpenHold): void {
    this.#open.add(id, hold);
    if (this.#open.size <= MOST_OPEN) return;
    const oldest = this.#open.oldest();
    if (oldest !== null) this.#open.delete(oldest.key);
  }

  /** Also for holds that another process made. */
  settle(id: string, actual: Amounts): void {
    if (this.#options.local?.settle(id, actual)) return;
    const settlement = { id, actual, hold: this.#open.take(id) ?? null };
    const { outage, queue } = this.#options;
    // A store that is away is asked by the queue alone, not by every stream that ends.
    if (outage.active) queue.add(this.#task(settlement));
    else {
      this.#try(settlement, (delivered) => {
        if (!delivered) queue.add(this.#task(settlement));
      });
    }
  }

  /** The store did not answer a hold and may have made it all the same: nothing will be used of it. */
  release(id: string): void {
    this.#options.releases.add(this.#task({ id, actual: NO_AMOUNTS, hold: null }));
  }

  #task(settlement: Settlement): Task {
    return (done) => this.#try(settlement, done);
  }

  #try({ id, actual, hold }: Settlement, done: (delivered: boolean) => void): void {
    const { store, outage } = this.#options;
    store.settle(id, actual, (result) => {
      if (result.kind === 'unavailable') outage.failed();
      else outage.worked();
      if (result.kind === 'settled' && hold !== null) this.#settled(hold, actual, result.states);
      done(result.kind !== 'unavailable');
    });
  }

  #settled({ slots, amounts }: OpenHold, actual: Amounts, states: readonly CounterState[]): void {
    const { seen, thresholds, onOvershoot } = this.#options;
    seen.note(slots, states);
    thresholds.look(slots, states);
    for (const { rule, counter } of slots) {
      const beyond = amountOf(counter.of, actual) - amountOf(counter.of, amounts);
      if (beyond > 0) onOvershoot(rule.name, beyond, counter.of);
    }
  }
}

import type { Amounts, Counter, CounterState, CounterStore } from '../../store/counter-store.js';
import { addAmounts } from './amounts.js';
import type { LimitAsk } from './limiter.js';
import type { Outage } from './outage.js';
import type { RetryQueue, Task } from './retry-queue.js';
import type { Slot } from './slots.js';

/** Counters of this process alone, for the time in which the store cannot be reached. */
export interface Fallback {
  readonly counters: CounterStore;
  /** Living processes, this one included, as last known. */
  readonly processes: () => number;
}

export interface LocalShareOptions {
  readonly fallback: Fallback;
  /** The store that cannot be reached now; gets what was used locally once it can. */
  readonly store: CounterStore;
  readonly outage: Outage;
  readonly queue: RetryQueue;
  readonly now: () => number;
}

export type LocalResult =
  | { readonly kind: 'held'; readonly states: readonly CounterState[] }
  | { readonly kind: 'refused'; readonly exceeded: readonly number[] };

interface LocalHold {
  readonly counters: readonly Counter[];
  readonly states: readonly CounterState[];
}

/** Requests with the same counters in the same windows, added to the store as one. */
interface Debt extends LocalHold {
  readonly id: string;
  readonly amounts: Amounts;
}

/** Long enough to settle at once what was just held. */
const DEBT_TTL_MS = 60_000;
/** Distinct sets of counters whose use waits for the store. */
const MOST_DEBTS = 10_000;

/**
 * Each process gives out its part of a limit, `max` ÷ processes, anew in each outage. Once the store is back, all that was
 * settled here is added to it, each request once. What is still running is added when it is settled.
 */
export class LocalShare {
  readonly #options: LocalShareOptions;
  readonly #open = new Map<string, LocalHold>();
  readonly #debts = new Map<string, Debt>();

  constructor(options: LocalShareOptions) {
    this.#options = options;
  }

  hold(ask: LimitAsk, slots: readonly Slot[], done: (result: LocalResult) => void): void {
    const { fallback, outage } = this.#options;
    const processes = BigInt(Math.max(1, Math.floor(fallback.processes())));
    const counters = slots.map(({ counter }) => counter);
    const local = counters.map((counter) => {
      // Rounded down: all shares together are never more than the limit.
      return { ...counter, key: `${counter.key}~${outage.startedAt}`, max: counter.max / processes };
    });
    fallback.counters.hold({ id: ask.id, counters: local, amounts: ask.amounts, ttlMs: ask.ttlMs }, (result) => {
      if (result.kind === 'held') {
        const states = result.states.map((state, index) => withRealPlace(state, counters[index]));
        this.#open.set(ask.id, { counters, states });
        done({ kind: 'held', states });
      } else done({ kind: 'refused', exceeded: result.kind === 'refused' ? result.exceeded : [] });
    });
  }

  /** False: not held here. */
  settle(id: string, actual: Amounts): boolean {
    const hold = this.#open.get(id);
    if (hold === undefined) return false;
    this.#open.delete(id);
    this.#options.fallback.counters.settle(id, actual, () => undefined);
    this.#owe({ id: `${id}+local`, ...hold, amounts: actual });
    return true;
  }

  /** The store is back. */
  pay(): void {
    for (const [name, debt] of this.#debts) {
      this.#debts.delete(name);
      this.#options.queue.add(this.#paying(debt));
    }
    this.#options.queue.wake();
  }

  #owe(debt: Debt): void {
    const same = debt.states.map(({ place }) => place).join('\n');
    const known = this.#debts.get(same);
    this.#debts.set(same, known ? { ...known, amounts: addAmounts(known.amounts, debt.amounts) } : debt);
    if (!this.#options.outage.active || this.#debts.size > MOST_DEBTS) this.pay();
  }

  /** Tried again as a whole: both steps do nothing the second time, because of the id. */
  #paying(debt: Debt): Task {
    const { store, now } = this.#options;
    return (done) => {
      const counters = stillOwed(debt, now());
      if (counters.length === 0) {
        done(true);
        return;
      }
      const { id, amounts } = debt;
      store.hold({ id, counters, amounts, ttlMs: DEBT_TTL_MS }, (held) => {
        if (held.kind === 'unavailable') done(false);
        else store.settle(id, amounts, (settled) => done(settled.kind !== 'unavailable'));
      });
    };
  }
}

/** A window that is over is owed nothing, and nothing is running any more. */
function stillOwed({ counters, states }: Debt, now: number): readonly Counter[] {
  const lasting = counters.filter(({ of }, index) => {
    const end = states[index]?.resetsAt ?? Number.POSITIVE_INFINITY;
    return of !== 'concurrent' && end > now;
  });
  return lasting.map((counter) => ({ ...counter, enforced: false }));
}

function withRealPlace(state: CounterState, counter: Counter | undefined): CounterState {
  const start = state.place.slice(state.place.lastIndexOf('@'));
  return { ...state, place: `${counter?.key ?? ''}${start}` };
}

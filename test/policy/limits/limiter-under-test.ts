import type { LimitRule } from '../../../src/config/limit-rules.js';
import { createLimiter, type LimiterOptions } from '../../../src/policy/limits/create-limiter.js';
import type {
  HeldLimits,
  Limiter,
  LimitRefusal,
  LimitRow,
  LimitVerdict,
  Threshold,
} from '../../../src/policy/limits/limiter.js';
import type { Amounts, CounterStore } from '../../../src/store/counter-store.js';
import { createMemoryCounters } from '../../../src/store/memory/memory-counters.js';
import { FlakyStore } from './flaky-store.js';
import { amountsOf, type SampleSubject, subjectOf } from './sample-limits.js';

/** A minute into a window of any length up to a day. */
export const START = Date.parse('2026-03-01T00:01:00Z');

export interface AskOptions extends SampleSubject {
  readonly id?: string;
  readonly amounts?: Partial<Amounts>;
  readonly without?: readonly string[];
  /** An hour unless given. */
  readonly ttlMs?: number;
}

/** A limiter with its clock, its store, its timers, and all that it told. */
export class LimiterUnderTest {
  now = START;
  readonly store: FlakyStore;
  readonly limiter: Limiter;
  readonly told: Threshold[] = [];
  readonly shadowed: string[] = [];
  readonly states: string[] = [];
  readonly overshoots: (readonly [limit: string, amount: number, of: string])[] = [];
  /** Of all timers that were set. */
  readonly delays: number[] = [];
  lost = 0;
  readonly #timers: (() => void)[] = [];
  #ids = 0;

  constructor(rules: readonly LimitRule[], options: Partial<LimiterOptions> = {}) {
    this.store = new FlakyStore(options.store ?? makeStore(() => this.now));
    this.limiter = createLimiter({
      rules,
      timeZone: 'UTC',
      now: () => this.now,
      onThreshold: (threshold) => this.told.push(threshold),
      onShadowed: (limit) => this.shadowed.push(limit),
      onStore: (state) => this.states.push(state),
      onOvershoot: (...overshoot) => this.overshoots.push(overshoot),
      onLost: () => {
        this.lost += 1;
      },
      later: (milliseconds, run) => {
        this.delays.push(milliseconds);
        this.#timers.push(run);
      },
      ...options,
      store: this.store,
    });
  }

  /** Runs the timers that are set now, not those that they set. */
  tick(): number {
    const due = this.#timers.splice(0);
    for (const run of due) run();
    return due.length;
  }

  /** Only with stores that answer in the same turn. */
  ask(options: AskOptions = {}): LimitVerdict {
    let verdict: LimitVerdict | null = null;
    const { id = `request-${this.#ids++}`, amounts, without = [], ttlMs = 3_600_000 } = options;
    const subject = subjectOf(options);
    this.limiter.covering(subject, (covering) => {
      const ask = { id, subject, covering, amounts: amountsOf(amounts), ttlMs, without };
      this.limiter.hold(ask, (result) => {
        verdict = result;
      });
    });
    if (verdict === null) throw new Error('no verdict in the same turn');
    return verdict;
  }

  held(options: AskOptions = {}): HeldLimits {
    const verdict = this.ask(options);
    if (verdict.kind !== 'held') throw new Error(`not held: ${describe(verdict)}`);
    return verdict.held;
  }

  refused(options: AskOptions = {}): LimitRefusal {
    const verdict = this.ask(options);
    if (verdict.kind !== 'refused') throw new Error(`not refused: ${describe(verdict)}`);
    return verdict.refusal;
  }

  settle({ id }: { readonly id: string }, actual: Partial<Amounts> = {}): void {
    this.limiter.settle(id, amountsOf(actual));
  }

  rows(): Promise<readonly LimitRow[]> {
    return new Promise((resolve) => this.limiter.rows(resolve));
  }
}

/** Counters in memory with this clock. */
export function makeStore(now: () => number): CounterStore {
  return createMemoryCounters({ now });
}

function describe(verdict: LimitVerdict): string {
  if (verdict.kind === 'refused') return verdict.refusal.message;
  return verdict.kind;
}

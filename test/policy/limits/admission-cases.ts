import { randomUUID } from 'node:crypto';
import type { LimitRule } from '../../../src/config/limit-rules.js';
import { createLimiter, type LimiterOptions } from '../../../src/policy/limits/create-limiter.js';
import type { Limiter, LimitRow, LimitVerdict } from '../../../src/policy/limits/limiter.js';
import type { CounterStore } from '../../../src/store/counter-store.js';
import { amountsOf, bound, limitRule, PER_USER, type SampleSubject, subjectOf, TOTAL } from './sample-limits.js';

/** Several gateways on one store. */
export class Gateways {
  readonly overshoots: number[] = [];
  readonly #limiters: readonly Limiter[];
  #next = 0;

  constructor(
    stores: readonly CounterStore[],
    rules: readonly LimitRule[],
    options: Pick<LimiterOptions, 'fallback'> = {},
  ) {
    this.#limiters = stores.map((store) =>
      createLimiter({
        rules,
        timeZone: 'UTC',
        store,
        now: Date.now,
        onThreshold: () => undefined,
        onOvershoot: (_limit, amount) => this.overshoots.push(amount),
        ...options,
      }),
    );
  }

  /** Asks one gateway after the other, and once more where another model is to be used. */
  ask(sample: SampleSubject & { readonly cost?: number }): Promise<Asked> {
    const limiter = this.#limiters[this.#next++ % this.#limiters.length];
    const id = randomUUID();
    const subject = subjectOf(sample);
    const amounts = amountsOf({ cost: sample.cost ?? 1 });
    const without: string[] = [];
    return new Promise((resolve) => {
      const decide = (): void =>
        limiter?.covering(subject, (covering) => {
          limiter.hold({ id, subject, covering, amounts, ttlMs: 3_600_000, without }, (verdict) => {
            if (verdict.kind !== 'use') {
              resolve({ verdict, instead: [...without], settle: (cost) => limiter.settle(id, amountsOf({ cost })) });
              return;
            }
            without.push(verdict.limit);
            decide();
          });
        });
      decide();
    });
  }

  askAtOnce(times: number, sample: SampleSubject & { readonly cost?: number } = {}): Promise<readonly Asked[]> {
    return Promise.all(Array.from({ length: times }, () => this.ask(sample)));
  }

  /** As each gateway sees them, after all that it asked of its store before, settlements too. */
  async rows(): Promise<readonly LimitRow[]> {
    const all = await Promise.all(this.#limiters.map((limiter) => new Promise<readonly LimitRow[]>(limiter.rows)));
    return all.flat();
  }
}

export interface Asked {
  readonly verdict: LimitVerdict;
  /** Limits whose other model was used. */
  readonly instead: readonly string[];
  readonly settle: (cost: number) => void;
}

export interface AdmissionCase {
  readonly name: string;
  /** New ones each time. */
  readonly rules: () => readonly LimitRule[];
  /** Told what it found, compared with `expected`. */
  readonly run: (gateways: Gateways) => Promise<unknown>;
  readonly expected: unknown;
}

const name = (): string => `limit ${randomUUID()}`;

/** What every store must do behind a limiter; reliability cases 61, 62, 63, 65, 66, 67, 68. */
export const ADMISSION_CASES: readonly AdmissionCase[] = [
  {
    name: 'a budget of 100 and a thousand requests at once',
    rules: () => [limitRule(name(), { cost: bound(100, TOTAL) })],
    run: async (gateways) => tally(await gateways.askAtOnce(1000)),
    expected: { held: 100, 'insufficient_quota, retry false': 900 },
  },
  {
    name: 'the same, settled and asked again',
    rules: () => [limitRule(name(), { cost: bound(100, TOTAL) })],
    run: async (gateways) => {
      const first = await gateways.askAtOnce(60, { cost: 3 });
      for (const asked of first) asked.settle(1);
      await gateways.rows();
      return [tally(first), tally(await gateways.askAtOnce(200))];
    },
    expected: [
      { held: 33, 'insufficient_quota, retry false': 27 },
      { held: 67, 'insufficient_quota, retry false': 133 },
    ],
  },
  {
    name: 'a user who is new, eight times at once',
    rules: () => [limitRule(name(), { per: PER_USER, cost: bound(5, TOTAL) })],
    run: async (gateways) => [
      tally(await gateways.askAtOnce(8, { user: 'new' })),
      [...new Set((await gateways.rows()).map(({ state }) => state.held))],
    ],
    expected: [{ held: 5, 'insufficient_quota, retry false': 3 }, [5n]],
  },
  {
    name: 'ten running requests, and an eleventh',
    rules: () => [limitRule(name(), { concurrent: 10 })],
    run: async (gateways) => {
      const running = await gateways.askAtOnce(11);
      running.find(({ verdict }) => verdict.kind === 'held')?.settle(0);
      await gateways.rows();
      return [tally(running), tally(await gateways.askAtOnce(2))];
    },
    expected: [
      { held: 10, 'concurrency_limit_exceeded, retry after 1': 1 },
      { held: 1, 'concurrency_limit_exceeded, retry after 1': 1 },
    ],
  },
  {
    name: 'more used than held, settled twice',
    rules: () => [limitRule(name(), { cost: bound(100, TOTAL) })],
    run: async (gateways) => {
      const held = await gateways.askAtOnce(4, { cost: 20 });
      for (const asked of held) asked.settle(30);
      await gateways.rows();
      for (const asked of held) asked.settle(1);
      await gateways.rows();
      const after = tally(await gateways.askAtOnce(1));
      const [row] = await gateways.rows();
      return [after, row?.state.used, row?.state.held, gateways.overshoots];
    },
    expected: [{ 'insufficient_quota, retry false': 1 }, 120n, 0n, [10, 10, 10, 10]],
  },
  {
    name: 'another model beyond a limit, and a wall behind it',
    rules: () => [
      limitRule(name(), { cost: bound(5, TOTAL), action: { kind: 'use', model: 'cheap' } }),
      limitRule(name(), { concurrent: 8 }),
    ],
    run: async (gateways) => {
      const asked = await gateways.askAtOnce(12);
      for (const { settle, verdict } of asked) if (verdict.kind === 'held') settle(1);
      return [
        tally(asked),
        (await gateways.rows())
          .map(({ state }) => state.held + state.used)
          .sort()
          .at(-1),
      ];
    },
    expected: [{ held: 5, 'held with another model': 3, 'concurrency_limit_exceeded, retry after 1': 4 }, 8n],
  },
  {
    name: 'all limits or none',
    rules: () => [
      limitRule(name(), { cost: bound(10, TOTAL) }),
      limitRule(name(), { per: PER_USER, cost: bound(6, TOTAL) }),
      limitRule(name(), { requests: bound(1, TOTAL), action: { kind: 'shadow' } }),
    ],
    run: async (gateways) => {
      const ann = tally(await gateways.askAtOnce(3, { user: 'ann', cost: 3 }));
      const bob = tally(await gateways.askAtOnce(3, { user: 'bob', cost: 2 }));
      return [ann, bob];
    },
    expected: [
      { held: 2, 'insufficient_quota, retry false': 1 },
      { held: 2, 'insufficient_quota, retry false': 1 },
    ],
  },
];

function tally(asked: readonly Asked[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { verdict, instead } of asked) {
    const used = instead.length === 0 ? '' : ' with another model';
    const text = verdict.kind === 'refused' ? refusalText(verdict) : `${verdict.kind}${used}`;
    counts[text] = (counts[text] ?? 0) + 1;
  }
  return counts;
}

function refusalText({ refusal }: LimitVerdict & { readonly kind: 'refused' }): string {
  const { 'retry-after': after, 'x-should-retry': should } = refusal.headers;
  return `${refusal.code}${after ? `, retry after ${after}` : ''}${should ? `, retry ${should}` : ''}`;
}

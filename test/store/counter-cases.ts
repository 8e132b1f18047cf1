import type { Test } from 'tap';
import type { Counter, CounterStore } from '../../src/store/counter-store.js';
import { type Asking, asking, calendar, counter, MINUTE, ROLLING, sums, TOTAL } from './ask.js';

/** What every store must do, whatever it keeps its counters in. */
export interface StoreUnderTest {
  readonly store: CounterStore;
  close(): Promise<void>;
}

interface Clock {
  now: number;
}

interface CounterCase {
  readonly name: string;
  run(t: Test, ask: Asking, clock: Clock): Promise<void>;
}

/** Thursday, 2026-01-01 00:00 UTC; a multiple of a minute. */
export const START = Date.UTC(2026, 0, 1);

/** Runs all cases, each with a store of its own, whose clock is `now`. */
export async function runCounterCases(t: Test, create: (now: () => number) => Promise<StoreUnderTest>): Promise<void> {
  for (const { name, run } of CASES) {
    await t.test(name, async (t) => {
      const clock: Clock = { now: START };
      const { store, close } = await create(() => clock.now);
      t.teardown(close);
      await run(t, asking(store), clock);
    });
  }
}

const CASES: readonly CounterCase[] = [
  {
    name: 'all or none',
    run: async (t, ask) => {
      const counters = [counter('requests', MINUTE, 2), counter('tokens', MINUTE, 100), counter('cost', TOTAL, 1000)];
      t.equal(sums(await ask.hold('a', counters, { tokens: 60, cost: 10 })), '0/1 0/60 0/10');
      const refused = await ask.hold('b', counters, { tokens: 41, cost: 991 });
      t.match(refused, { kind: 'refused', exceeded: [1, 2] });
      t.equal(sums(refused), '0/1 0/60 0/10', 'as they were');
      t.equal(sums(await ask.hold('c', counters, { tokens: 40, cost: 990 })), '0/2 0/100 0/1000', 'exactly full');
      t.match(await ask.hold('d', counters), { kind: 'refused', exceeded: [0] });
    },
  },
  {
    name: 'what was really used replaces the hold',
    run: async (t, ask) => {
      const counters = [counter('tokens', MINUTE, 100), counter('cost', TOTAL, 50), counter('concurrent', TOTAL, 1)];
      await ask.hold('a', counters, { tokens: 90, cost: 40 });
      t.match(await ask.hold('b', counters, { tokens: 1 }), { kind: 'refused', exceeded: [2] });
      t.equal(sums(await ask.settle('a', { tokens: 7, cost: 60 })), '7/0 60/0 0/0', 'also more than was held');
      t.match(await ask.hold('b', counters, { tokens: 93, cost: 1 }), { kind: 'refused', exceeded: [1] });
      t.equal(sums(await ask.hold('b', counters, { tokens: 93, cost: 0 })), '7/93 60/0 0/1', 'no cost, no question');
    },
  },
  {
    name: 'case 65: settling twice, or what was never held',
    run: async (t, ask) => {
      const counters = [counter('tokens', MINUTE, 100)];
      await ask.hold('a', counters, { tokens: 10 });
      t.equal((await ask.settle('b', { tokens: 5 })).kind, 'unknown');
      t.equal((await ask.settle('a', { tokens: 5 })).kind, 'settled');
      t.equal((await ask.settle('a', { tokens: 5 })).kind, 'unknown');
      t.equal(sums({ states: await ask.read(...counters) }), '5/0');
    },
  },
  {
    name: 'a repeated hold counts once',
    run: async (t, ask) => {
      const counters = [counter('requests', MINUTE, 1), counter('tokens', MINUTE, 100)];
      const first = await ask.hold('a', counters, { tokens: 10 });
      t.same(await ask.hold('a', counters, { tokens: 10 }), first, 'while it is open, although nothing is left');
      await ask.settle('a', { tokens: 4 });
      const late = await ask.hold('a', counters, { tokens: 10 });
      t.match(late, { kind: 'held' });
      t.equal(sums(late), '1/0 4/0', 'after its end');
      t.equal((await ask.settle('a', { tokens: 4 })).kind, 'unknown');
    },
  },
  {
    name: 'a refused request may ask again for something else',
    run: async (t, ask) => {
      const [small, large] = [counter('tokens', MINUTE, 10, 'small'), counter('tokens', MINUTE, 100, 'large')];
      t.equal((await ask.hold('a', [small, large], { tokens: 20 })).kind, 'refused');
      t.equal(sums(await ask.hold('a', [{ ...small, enforced: false }, large], { tokens: 20 })), '0/20 0/20');
      t.equal(sums({ states: await ask.read(large, small) }), '0/20 0/20');
    },
  },
  {
    name: 'case 65: a hold belongs to its window',
    run: async (t, ask, clock) => {
      const counters = [
        counter('tokens', MINUTE, 100),
        counter('tokens', TOTAL, 1000),
        counter('concurrent', TOTAL, 2),
      ];
      clock.now = START + 59_999;
      const held = await ask.hold('a', counters, { tokens: 100 });
      t.match(held, { states: [{ place: `${counters[0]?.key}@${START}`, resetsAt: START + 60_000, resetsInMs: 1 }] });
      clock.now = START + 60_000;
      const next = await ask.hold('b', counters, { tokens: 100 });
      t.equal(sums(next), '0/100 0/200 0/2', 'not carried over, but in the one without an end');
      t.match(next, { states: [{ place: `${counters[0]?.key}@${START + 60_000}`, resetsInMs: 60_000 }] });
      t.equal(sums(await ask.settle('a', { tokens: 30 })), '0/100 30/100 0/1');
      clock.now = START + 10 * 60_000;
      t.equal(sums(await ask.settle('b', { tokens: 40 })), '0/0 70/0 0/0');
    },
  },
  {
    name: 'case 104: calendar windows, with days of 23 and 25 hours',
    run: async (t, ask, clock) => {
      for (const [zone, unit, now, start, end] of CALENDAR) {
        const one = counter('requests', calendar(unit, zone), 1, now);
        clock.now = Date.parse(now);
        const result = await ask.hold(now, [one]);
        const [state] = 'states' in result ? result.states : [];
        t.equal(state?.place, `${one.key}@${Date.parse(start)}`, `${zone} ${unit} of ${now} begins ${start}`);
        t.equal(state?.resetsAt, Date.parse(end), `and ends ${end}`);
        clock.now = Date.parse(end) - 1;
        t.equal((await ask.hold(`${now} late`, [one])).kind, 'refused');
        clock.now = Date.parse(end);
        t.equal((await ask.hold(`${now} next`, [one])).kind, 'held');
      }
    },
  },
  {
    name: 'a rolling window never lets more through',
    run: async (t, ask, clock) => {
      const counters = [counter('requests', ROLLING, 2)];
      clock.now = START + 999;
      const first = await ask.hold('a', counters);
      t.match(first, { states: [{ place: `${counters[0]?.key}@${START}`, resetsAt: START + 61_000 }] });
      clock.now = START + 30_500;
      t.equal(sums(await ask.hold('b', counters)), '0/2');
      t.equal(sums(await ask.settle('a')), '1/1', 'in its slot');
      clock.now = START + 60_998;
      t.equal((await ask.hold('c', counters)).kind, 'refused', 'a minute after the first is not over');
      clock.now = START + 60_999;
      t.equal(sums(await ask.hold('c', counters)), '0/2');
      t.equal(sums(await ask.settle('c', { requests: 2 })), '2/1');
      clock.now = START + 300_000;
      t.equal(sums(await ask.settle('b')), '0/0', 'long over');
      t.equal(sums(await ask.hold('d', counters, { requests: 2 })), '0/2');
    },
  },
  {
    name: 'case 65: a hold that nobody settles counts as used',
    run: async (t, ask, clock) => {
      const counters = [counter('tokens', TOTAL, 100), counter('concurrent', TOTAL, 1), counter('tokens', MINUTE, 100)];
      await ask.hold('a', counters, { tokens: 60, ttlMs: 61_000 });
      clock.now += 60_999;
      t.equal(sums({ states: await ask.read(...counters) }), '0/60 0/1 0/0');
      clock.now += 1;
      t.equal(sums({ states: await ask.read(...counters) }), '60/0 0/0 0/0');
      t.equal((await ask.settle('a', { tokens: 5 })).kind, 'unknown');
      t.equal(sums(await ask.hold('a', counters, { tokens: 60 })), '60/0 0/0 0/0', 'repeated: counts nothing');
      clock.now += 61_000;
      t.equal(sums({ states: await ask.read(...counters) }), '60/0 0/0 0/0', 'once');
      t.equal(sums(await ask.hold('b', counters, { tokens: 40 })), '60/40 0/1 0/40');
    },
  },
  {
    name: 'case 70: sums are exact where doubles are not',
    run: async (t, ask) => {
      const max = 10n ** 18n;
      const one = { ...counter('cost', TOTAL, max), max };
      const large = 2 ** 53 - 1;
      const before = max - BigInt(large) - 1n;
      await ask.seed({ used: new Map([[`${one.key}@0`, before]]) });
      t.equal(sums(await ask.hold('a', [one], { cost: large })), `${before}/${large}`);
      t.equal(sums(await ask.hold('b', [one], { cost: 1 })), `${before}/${large + 1}`, 'the last nano-dollar');
      t.equal((await ask.hold('c', [one], { cost: 1 })).kind, 'refused');
      t.equal(sums(await ask.settle('a', { cost: large - 1 })), `${max - 2n}/1`);
      t.equal(sums(await ask.hold('c', [one], { cost: 1 })), `${max - 2n}/2`);
    },
  },
  {
    name: 'case 104: time never runs backwards',
    run: async (t, ask, clock) => {
      const counters = [counter('requests', MINUTE, 1), counter('requests', calendar('minute'), 1)];
      clock.now = START + 60_000;
      await ask.hold('a', counters);
      clock.now = START;
      const state = { resetsAt: START + 120_000, resetsInMs: 60_000 };
      t.match(await ask.hold('b', counters), { kind: 'refused', exceeded: [0, 1], states: [state, state] });
      t.match(await ask.read(...counters), [state, state]);
    },
  },
  {
    name: 'counting without refusing',
    run: async (t, ask) => {
      const watching: Counter = { ...counter('tokens', MINUTE, 10), enforced: false };
      t.equal(sums(await ask.hold('a', [watching], { tokens: 8 })), '0/8');
      t.equal(sums(await ask.hold('b', [watching], { tokens: 8 })), '0/16');
      t.equal(sums(await ask.settle('b', { tokens: 9 })), '9/8');
    },
  },
  {
    name: 'each dimension has its own amount',
    run: async (t, ask) => {
      const of = ['requests', 'input_tokens', 'output_tokens', 'tokens', 'cost', 'concurrent'] as const;
      const counters = of.map((one) => counter(one, TOTAL, 1000));
      const amounts = { requests: 1, input_tokens: 2, output_tokens: 3, tokens: 5, cost: 7 };
      t.equal(sums(await ask.hold('a', counters, amounts)), '0/1 0/2 0/3 0/5 0/7 0/1');
      const actual = { requests: 10, input_tokens: 20, output_tokens: 30, tokens: 50, cost: 70 };
      t.equal(sums(await ask.settle('a', actual)), '10/0 20/0 30/0 50/0 70/0 0/0');
    },
  },
  {
    name: 'no counters, nothing held',
    run: async (t, ask) => {
      t.same(await ask.hold('a', []), { kind: 'held', states: [] });
      t.same(await ask.settle('a'), { kind: 'settled', states: [] });
      t.same(await ask.read(), []);
    },
  },
  {
    name: 'reading what nobody has used',
    run: async (t, ask) => {
      const states = await ask.read(counter('tokens', MINUTE, 1), counter('concurrent', TOTAL, 1));
      t.match(states, [
        { used: 0n, held: 0n, resetsAt: START + 60_000, resetsInMs: 60_000 },
        { used: 0n, held: 0n, resetsAt: null, resetsInMs: null },
      ]);
      t.match(states[1]?.place, /@0$/);
    },
  },
  {
    name: 'told by the ledgers',
    run: async (t, ask, clock) => {
      const day = calendar('day', 'Europe/Berlin');
      const counters = [counter('cost', day, 100), counter('cost', ROLLING, 100), counter('concurrent', TOTAL, 2)];
      const [calendarKey, rolling, concurrent] = counters.map(({ key }) => key);
      const start = START - 3_600_000;
      const used = new Map([
        [`${calendarKey}@${start}`, 30n],
        [`${calendarKey}@${start - 86_400_000}`, 5n],
        [`${rolling}@${START - 30_000}`, 4n],
        [`${rolling}@${START - 61_000}`, 2n],
      ]);
      const places = new Map([
        [`${calendarKey}@${start}`, 10],
        [`${rolling}@${START - 1000}`, 10],
        [`${concurrent}@0`, 1],
      ]);
      const open = { places, ttlMs: 5000 };
      t.equal(await ask.seed({ source: 'one', used, holds: new Map([['a', open]]) }), null);
      t.equal(await ask.seed({ source: 'one', used }), null);
      t.equal(sums({ states: await ask.read(...counters) }), '30/10 4/10 0/1', 'once each; what is over is not added');
      t.equal(
        await ask.seed({
          source: 'two',
          used,
          holds: new Map([
            ['a', open],
            ['b', open],
          ]),
        }),
        null,
      );
      t.equal(sums({ states: await ask.read(...counters) }), '60/20 8/20 0/2', 'each ledger is added, each hold once');
      t.match(await ask.hold('c', counters, { cost: 21 }), { kind: 'refused', exceeded: [0, 2] });
      t.equal(sums(await ask.settle('a', { cost: 3 })), '63/10 11/10 0/1');
      clock.now += 5000;
      t.equal(sums({ states: await ask.read(...counters) }), '73/0 21/0 0/0', 'the other one has expired');
    },
  },
];

/** Time zone, unit, an instant, and the window that it lies in. */
const CALENDAR: readonly (readonly [string, 'minute' | 'hour' | 'day' | 'week' | 'month', string, string, string])[] = [
  ['UTC', 'minute', '2026-01-01T00:00:30Z', '2026-01-01T00:00Z', '2026-01-01T00:01Z'],
  ['Asia/Kolkata', 'hour', '2026-01-01T00:40:00Z', '2026-01-01T00:30Z', '2026-01-01T01:30Z'],
  ['UTC', 'week', '2026-01-04T12:00:00Z', '2025-12-29T00:00Z', '2026-01-05T00:00Z'],
  ['Asia/Tokyo', 'month', '2026-02-03T10:00:00Z', '2026-01-31T15:00Z', '2026-02-28T15:00Z'],
  ['Europe/Berlin', 'day', '2026-03-29T12:00:00Z', '2026-03-28T23:00Z', '2026-03-29T22:00Z'],
  ['Africa/Cairo', 'day', '2026-04-24T12:00:00Z', '2026-04-23T22:00Z', '2026-04-24T21:00Z'],
  ['Europe/Berlin', 'hour', '2026-10-25T00:30:00Z', '2026-10-25T00:00Z', '2026-10-25T01:00Z'],
  ['Europe/Berlin', 'hour', '2026-10-25T01:30:00Z', '2026-10-25T01:00Z', '2026-10-25T02:00Z'],
  ['Europe/Berlin', 'day', '2026-10-25T12:00:00Z', '2026-10-24T22:00Z', '2026-10-25T23:00Z'],
  ['America/New_York', 'month', '2026-11-15T00:00:00Z', '2026-11-01T04:00Z', '2026-12-01T05:00Z'],
];

import fc from 'fast-check';
import t from 'tap';
import type { LimitRule } from '../../../src/config/limit-rules.js';
import type { LimiterOptions } from '../../../src/policy/limits/create-limiter.js';
import type { HeldLimits } from '../../../src/policy/limits/limiter.js';
import { LimiterUnderTest, makeStore, START } from './limiter-under-test.js';
import { bound, compiled, limitRule, MONTH, PER_USER, TOTAL } from './sample-limits.js';

const SOFT = limitRule('soft', { requests: bound(12, TOTAL), hard: false });

/** With counters of its own that four processes share the limits of. */
function withFallback(rules: readonly LimitRule[], options: Partial<LimiterOptions> = {}): LimiterUnderTest {
  const under: LimiterUnderTest = new LimiterUnderTest(rules, {
    fallback: { counters: makeStore(() => under.now), processes: () => 4 },
    ...options,
  });
  return under;
}

async function usedIn(under: LimiterUnderTest): Promise<Readonly<Record<string, readonly [bigint, bigint]>>> {
  const rows = await under.rows();
  return Object.fromEntries(rows.map(({ limit, of, state }) => [`${limit} ${of}`, [state.used, state.held] as const]));
}

t.test('case 64: hard limits refuse while the store is out of reach', async (t) => {
  const under = withFallback([limitRule('x', { requests: bound(10) }), SOFT]);
  under.held();
  under.store.mode = 'down';
  t.same(under.refused(), {
    code: 'limits_unavailable',
    message: 'The limits of this request cannot be checked at the moment. Nothing was sent; try again shortly.',
    headers: { 'retry-after': '1' },
    limit: null,
  });
  under.store.mode = 'up';
  under.held();
  t.same(under.states, ['unreachable', 'reachable']);
});

t.test('case 64: soft limits give out a share for a minute, which is added once', async (t) => {
  const under = withFallback([SOFT, limitRule('watching', { cost: bound(1, MONTH), action: { kind: 'shadow' } })]);
  const early = under.held();
  under.store.mode = 'down';
  const held = [under.held({ amounts: { cost: 5 } }), under.held(), under.held()];
  t.same(held[0]?.headers, [], 'a share is not the limit');
  t.same(Object.keys(held[0]?.places ?? {}), [
    'soft|requests|total|@0',
    `watching|cost|month UTC|@${Date.parse('2026-03-01')}`,
  ]);
  t.equal(under.refused().code, 'limits_unavailable', '12 ÷ 4 are used up');
  for (const limits of held.slice(0, 2)) under.settle(limits, { cost: 5 });
  for (const limits of held.slice(0, 2)) under.settle(limits, { cost: 5 });
  under.settle(early);
  under.now += 60_000;
  t.equal(under.refused().code, 'limits_unavailable', 'a minute later');
  while (under.tick() > 0 && under.store.asked < 100);
  under.store.mode = 'up';
  while (under.tick() > 0);
  t.same(await usedIn(under), { 'soft requests': [3n, 0n], 'watching cost': [10n, 0n] });
  if (held[2]) under.settle(held[2]);
  while (under.tick() > 0);
  t.same((await usedIn(under))['soft requests'], [4n, 0n], 'what ran longer than the outage comes last');
  for (let count = 0; count < 8; count += 1) under.held();
  t.equal(under.refused().limit, 'soft');
});

t.test('a minute without the store', async (t) => {
  const under = withFallback([{ ...SOFT, per: PER_USER }]);
  under.store.mode = 'down';
  under.held({ user: 'ann' });
  under.now += 59_999;
  under.held({ user: 'bob' });
  under.now += 1;
  t.equal(under.refused({ user: 'cid' }).code, 'limits_unavailable');
});

t.test('what was used locally in a window that is over is not owed', async (t) => {
  const rules = [limitRule('minute', { requests: bound(8), concurrent: 100, hard: false }), SOFT];
  const under = withFallback(rules);
  under.held();
  under.store.mode = 'down';
  const [first, second] = [under.held(), under.held()];
  t.equal(under.refused().code, 'limits_unavailable', 'the smallest share counts');
  under.settle(first);
  under.now += 60_000;
  under.settle(second);
  under.store.mode = 'up';
  while (under.tick() > 0);
  const used = await usedIn(under);
  t.same(used['minute requests'], [0n, 0n]);
  t.same(used['soft requests'], [2n, 1n]);
  const counted = under.store.made.at(-1)?.counters.map(({ of, enforced }) => [of, enforced]);
  t.same(counted, [['requests', false]], 'the last that was added: no request is running, and none is refused');
});

t.test('an answer that is lost neither holds nor counts twice', async (t) => {
  const under = withFallback([SOFT]);
  under.store.mode = 'lost';
  under.settle(under.held());
  while (under.tick() > 0 && under.store.asked < 100);
  under.store.mode = 'up';
  while (under.tick() > 0);
  under.held();
  t.same((await usedIn(under))['soft requests'], [1n, 1n]);
  const hard = new LimiterUnderTest([limitRule('x', { requests: bound(5) })]);
  hard.store.mode = 'lost';
  hard.refused();
  hard.store.mode = 'up';
  while (hard.tick() > 0);
  hard.held();
  t.same(await usedIn(hard), { 'x requests': [0n, 1n] }, 'a refused request holds nothing');
});

t.test('a store that comes and goes is one outage', async (t) => {
  const under = withFallback([SOFT]);
  let admitted = 0;
  for (let count = 0; count < 40; count += 1) {
    under.store.mode = 'down';
    const verdict = under.ask();
    if (verdict.kind === 'held') {
      admitted += 1;
      under.settle(verdict.held);
    }
    under.store.mode = 'up';
    while (under.tick() > 0);
    under.now += 1000;
  }
  t.equal(admitted, 3, 'one share');
  under.now += 120_000;
  under.store.mode = 'down';
  t.equal(under.ask().kind, 'held', 'a new one after a quiet minute');
});

t.test('case 64: limits that only watch let requests pass', async (t) => {
  const watching = limitRule('watching', { requests: bound(1, TOTAL), action: { kind: 'shadow' } });
  for (const under of [withFallback([watching]), new LimiterUnderTest([watching])]) {
    under.store.mode = 'down';
    for (let count = 0; count < 3; count += 1) under.settle(under.held());
    under.now += 600_000;
    under.settle(under.held());
  }
  const under = withFallback([watching]);
  under.store.mode = 'down';
  under.settle(under.held());
  under.store.mode = 'up';
  under.held();
  while (under.tick() > 0);
  t.same(await usedIn(under), { 'watching requests': [1n, 1n] }, 'and still count');
});

t.test('use, from a local share', async (t) => {
  const action = { kind: 'use', model: 'cheap' } as const;
  const under = withFallback([limitRule('cheaper', { requests: bound(4, TOTAL), hard: false, action })]);
  under.store.mode = 'down';
  under.held({ id: 'a' });
  t.same(under.ask({ id: 'b' }), { kind: 'use', model: 'cheap', limit: 'cheaper' });
  under.held({ id: 'b', without: ['cheaper'] });
  t.same(under.ask({ id: 'c' }), { kind: 'use', model: 'cheap', limit: 'cheaper' });
  under.store.mode = 'up';
  under.held({ id: 'c' });
  while (under.tick() > 0);
  t.same(await usedIn(under), { 'cheaper requests': [0n, 1n] }, 'the hold of c is not taken back');
});

t.test('settlements wait for the store, the oldest are given up', async (t) => {
  const under = new LimiterUnderTest([limitRule('x', { requests: bound(20_000, TOTAL) })]);
  const held = Array.from({ length: 10_100 }, () => under.held());
  const before = under.store.asked;
  under.store.mode = 'down';
  for (const limits of held) under.settle(limits);
  t.equal(under.store.asked - before, 1, 'only the first asks the store');
  t.equal(under.lost, 100);
  under.tick();
  t.equal(under.store.asked - before, 65, 'tried again in batches');
  under.tick();
  t.equal(under.store.asked - before, 129);
  under.store.mode = 'up';
  let rounds = 0;
  while (under.tick() > 0) rounds += 1;
  t.ok(rounds >= 10_000 / 64 && rounds < 170, `${rounds} turns of the event loop`);
  under.held();
  t.same(await usedIn(under), { 'x requests': [10_000n, 101n] });
  t.same(under.states, ['unreachable', 'reachable']);
});

t.test('the pauses between tries grow, until there is a sign of the store', async (t) => {
  const under = new LimiterUnderTest([limitRule('x', { requests: bound(5, TOTAL) })]);
  const held = under.held();
  under.store.mode = 'down';
  under.settle(held);
  for (let count = 0; count < 8; count += 1) under.tick();
  t.same(under.delays.splice(0), [100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000]);
  under.store.mode = 'up';
  under.held();
  t.same(under.delays, [0]);
  under.tick();
  t.same(await usedIn(under), { 'x requests': [1n, 1n] });
});

t.test('a settlement is told once', async (t) => {
  const rules = [limitRule('x', { per: PER_USER, cost: bound(10, TOTAL), alertAt: [0.5] })];
  const under = new LimiterUnderTest(rules);
  const held = under.held({ user: 'ann', amounts: { cost: 5 } });
  under.store.mode = 'down';
  under.settle(held, { cost: 8 });
  under.settle(held, { cost: 9 });
  t.same([under.told.length, under.overshoots.length], [0, 0]);
  under.store.mode = 'up';
  while (under.tick() > 0);
  t.same(
    under.told.map(({ used, partition }) => [used, partition]),
    [[8n, ['ann']]],
  );
  t.same(under.overshoots, [['x', 3, 'cost']]);
});

t.test('conditions and an unreachable store', async (t) => {
  const when = compiled('limit["soft"].used < 1.0');
  const under = withFallback([SOFT, limitRule('first', { when, requests: bound(1, TOTAL), hard: false })]);
  under.store.mode = 'down';
  t.equal(under.refused().code, 'limits_unavailable', 'nothing used is what it sees: 1 ÷ 4 is no request');
  t.equal(under.now, START);
});

const event = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('ask' as const), user: fc.constantFrom('ann', 'bob') }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('settle' as const), which: fc.nat(), cost: fc.nat(20) }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('store' as const), mode: fc.constantFrom('up', 'down', 'lost') }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('tick' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(100_000) }) },
);

t.test('whatever happens to the store, in the end each admitted request has counted once', async (t) => {
  let local = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(event, { minLength: 10, maxLength: 80 }), async (events) => {
      const wide = { requests: bound(1000, TOTAL), cost: bound(100_000, TOTAL), concurrent: 1000, hard: false };
      const under = withFallback([limitRule('x', { ...wide, per: PER_USER }), limitRule('all', wide)]);
      const open: HeldLimits[] = [];
      let [admitted, cost] = [0, 0];
      const settle = (held: HeldLimits | undefined, actual: number): void => {
        if (held === undefined) return;
        cost += actual;
        under.settle(held, { cost: actual });
      };
      for (const next of events) {
        if (next.kind === 'store') under.store.mode = next.mode;
        else if (next.kind === 'wait') under.now += next.ms;
        else if (next.kind === 'tick') under.tick();
        else if (next.kind === 'settle') settle(open.splice(next.which % Math.max(1, open.length), 1)[0], next.cost);
        else {
          const verdict = under.ask({ user: next.user, amounts: { cost: 10 }, ttlMs: 1e9 });
          if (verdict.kind !== 'held') continue;
          admitted += 1;
          if (under.store.mode !== 'up') local += 1;
          open.push(verdict.held);
        }
      }
      under.store.mode = 'up';
      // One more of each, so that their counters are in the list.
      for (const user of ['ann', 'bob']) open.push(under.held({ user, ttlMs: 1e9 }));
      admitted += 2;
      for (const held of open) settle(held, 7);
      while (under.tick() > 0);
      const rows = await under.rows();
      const sum = (limit: string, of: string): bigint =>
        rows.filter((row) => row.limit === limit && row.of === of).reduce((total, { state }) => total + state.used, 0n);
      const used = ['x', 'all'].flatMap((limit) => [sum(limit, 'requests'), sum(limit, 'cost')]);
      const expected = [admitted, cost, admitted, cost];
      return used.join() === expected.join() && rows.every(({ state }) => state.held === 0n);
    }),
    { numRuns: 150 },
  );
  t.ok(local > 150, `${local} requests were admitted without the store`);
});

import t from 'tap';
import type { Subject } from '../../../src/config/condition.js';
import { createLimiterMemory } from '../../../src/policy/limits/limiter-memory.js';
import { SeenCounters } from '../../../src/policy/limits/seen-counters.js';
import { LimiterUnderTest, START } from './limiter-under-test.js';
import { bound, compiled, dollars, limitRule, MONTH, PER_USER, subjectOf, TOTAL } from './sample-limits.js';

t.test('what covers a request', async (t) => {
  const team = (name: string) => compiled(`key.labels.team == "${name}" && request.model != "free"`);
  const rules = [
    limitRule('dollars', { when: team('a'), cost: bound(1) }),
    limitRule('tokens', { when: team('a'), tokens: { ...bound(1), of: 'total' } }),
    limitRule('soft dollars', { when: team('b'), cost: bound(1), action: { kind: 'shadow' } }),
    limitRule('then cheap', { when: team('c'), cost: bound(1), action: { kind: 'use', model: 'free' } }),
  ];
  const { limiter } = new LimiterUnderTest(rules);
  const coveringOf = (labels: Readonly<Record<string, string>>) => {
    const found: unknown[] = [];
    limiter.covering(subjectOf({ labels }), (covering) => found.push(covering));
    return found[0];
  };
  t.same(coveringOf({ team: 'a' }), { rules: rules.slice(0, 2), countsTokens: true, countsCost: true, hardCost: true });
  t.same(coveringOf({ team: 'b' }), {
    rules: rules.slice(2, 3),
    countsTokens: false,
    countsCost: true,
    hardCost: false,
  });
  t.match(coveringOf({ team: 'c' }), { hardCost: true }, 'an unknown price does not fit');
  t.same(coveringOf({}), { rules: [], countsTokens: false, countsCost: false, hardCost: false });
  t.equal(coveringOf({}), coveringOf({ team: 'd' }), 'nothing is made where nothing covers');
  t.same(new LimiterUnderTest(rules).held(), { id: 'request-0', places: {}, headers: [], shadowed: [] });
});

t.test('places are those of all counters, with what they hold', async (t) => {
  const under = new LimiterUnderTest([
    limitRule('a', { per: PER_USER, requests: bound(5), concurrent: 5 }),
    limitRule('b', { cost: bound(5, TOTAL), action: { kind: 'shadow' } }),
  ]);
  t.same(under.held({ user: 'ann', amounts: { cost: 3 } }).places, {
    [`a|requests|60000ms|request.user=ann@${START}`]: 1,
    'a|concurrent|total|request.user=ann@0': 1,
    'b|cost|total|@0': 3,
  });
});

t.test('shadow limits count and tell, and never refuse', async (t) => {
  const under = new LimiterUnderTest([
    limitRule('watching', { requests: bound(1), concurrent: 1, action: { kind: 'shadow' } }),
    limitRule('wide', { requests: bound(100) }),
  ]);
  t.same(under.held().shadowed, []);
  t.same(under.held().shadowed, ['watching'], 'once, though two bounds are exceeded');
  t.same(under.shadowed, ['watching']);
});

t.test('use: another model first, then only counted; reject comes first', async (t) => {
  const rules = [
    limitRule('cheaper', { requests: bound(1), action: { kind: 'use', model: 'cheap' } }),
    limitRule('cheapest', { requests: bound(2), action: { kind: 'use', model: 'cheapest' } }),
    limitRule('wall', { requests: bound(4) }),
  ];
  const under = new LimiterUnderTest(rules);
  under.held();
  t.same(under.ask({ id: 'b' }), { kind: 'use', model: 'cheap', limit: 'cheaper' });
  t.same(under.held({ id: 'b', without: ['cheaper'] }).shadowed, []);
  t.same(under.ask({ id: 'c' }), { kind: 'use', model: 'cheap', limit: 'cheaper' }, 'of two the first');
  const without = ['cheaper'];
  t.same(under.ask({ id: 'c', without }), { kind: 'use', model: 'cheapest', limit: 'cheapest' });
  without.push('cheapest');
  under.held({ id: 'c', without });
  under.held({ id: 'd', without });
  t.equal(under.refused({ id: 'e' }).limit, 'wall');
  const rows = await under.rows();
  t.equal(rows.find((row) => row.limit === 'cheaper')?.state.held, 4n, 'it counted on');
});

t.test('missing values are one partition', async (t) => {
  const team = { kind: 'key.labels', name: 'team' } as const;
  const under = new LimiterUnderTest([limitRule('x', { per: [team], requests: bound(1) })]);
  under.held({ labels: { team: 'a' } });
  under.held();
  under.held({ labels: { team: 'b' } });
  t.equal(under.refused({ labels: { team: '' } }).limit, 'x');
  t.notMatch(under.refused({ labels: { team: 'a' } }).message, 'team', 'a message names no tenant');
});

t.test('case 65: settled once, with the truth, in the window of the hold', async (t) => {
  const under = new LimiterUnderTest([limitRule('x', { tokens: { ...bound(100), of: 'total' } })]);
  const held = under.held({ amounts: { tokens: 80 } });
  under.refused({ amounts: { tokens: 30 } });
  under.settle(held, { tokens: 20 });
  under.settle(held, { tokens: 99 });
  under.settle(held, { tokens: 0 });
  const second = under.held({ amounts: { tokens: 80 } });
  under.refused({ amounts: { tokens: 1 } });
  under.now += 60_000;
  under.held({ amounts: { tokens: 100 } });
  under.settle(second, { tokens: 0 });
  t.equal(under.refused({ amounts: { tokens: 1 } }).code, 'rate_limit_exceeded', 'an old hold frees nothing new');
  const [row] = await under.rows();
  t.same([row?.state.used, row?.state.held], [0n, 100n]);
});

t.test('case 63: more used than held', async (t) => {
  const rules = [limitRule('x', { tokens: { ...bound(100), of: 'output' }, cost: bound(1000), concurrent: 4 })];
  const under = new LimiterUnderTest(rules);
  const held = under.held({ amounts: { output_tokens: 50, cost: 500 } });
  under.settle(held, { output_tokens: 70, cost: 500 });
  under.settle(held, { output_tokens: 70, cost: 500 });
  t.same(under.overshoots, [['x', 20, 'output_tokens']]);
  under.held({ amounts: { output_tokens: 30 } });
  t.equal(under.refused({ amounts: { output_tokens: 1 } }).headers['x-ratelimit-remaining-tokens'], '0');
});

t.test('case 70: sums beyond what a double holds', async (t) => {
  const max = 10n ** 24n;
  const under = new LimiterUnderTest([limitRule('x', { cost: bound(max, TOTAL) })]);
  const each = Number.MAX_SAFE_INTEGER;
  for (let count = 0; count < 5; count += 1) under.settle(under.held({ amounts: { cost: each } }), { cost: each - 1 });
  const [row] = await under.rows();
  t.equal(row?.state.used, BigInt(each - 1) * 5n);
  const tenth = new LimiterUnderTest([limitRule('x', { cost: bound(dollars(0.3), TOTAL) })]);
  tenth.settle(tenth.held({ amounts: { cost: 1e8 } }), { cost: 1e8 });
  tenth.held({ amounts: { cost: 2e8 } });
  t.equal(
    tenth.refused({ amounts: { cost: 1 } }).message,
    'Limit "x" allows $0.30 in all: $0.10 used, $0.20 held by running requests, and this request may need $0.000000001. It does not reset.',
  );
});

t.test('alerts: once per share, counter and window', async (t) => {
  const alertAt = [0.5, 0.8, 1];
  const rules = [limitRule('x', { per: PER_USER, requests: bound(10), alertAt })];
  const under = new LimiterUnderTest(rules);
  const shares = () => under.told.splice(0).map(({ share, partition: [user], used }) => [user, share, used]);
  for (let count = 0; count < 4; count += 1) under.held({ user: 'ann' });
  t.same(shares(), []);
  under.held({ user: 'ann' });
  t.same(shares(), [['ann', 0.5, 5n]], 'requests count when they are held');
  for (let count = 0; count < 2; count += 1) under.held({ user: 'ann' });
  for (let count = 0; count < 5; count += 1) under.held({ user: 'bob' });
  t.same(shares(), [['bob', 0.5, 5n]]);
  for (let count = 0; count < 3; count += 1) under.held({ user: 'ann' });
  t.same(shares(), [
    ['ann', 0.8, 8n],
    ['ann', 1, 10n],
  ]);
  under.now += 60_000;
  for (let count = 0; count < 5; count += 1) under.held({ user: 'ann' });
  t.same(shares(), [['ann', 0.5, 5n]], 'a new window');
});

t.test('alerts of cost go by what is settled, and survive a change of configuration', async (t) => {
  const memory = createLimiterMemory();
  const rules = [limitRule('x', { cost: bound(100, MONTH), alertAt: [0.5, 0.9] })];
  const under = new LimiterUnderTest(rules, { memory });
  const held = under.held({ amounts: { cost: 100 } });
  t.same(under.told, []);
  under.settle(held, { cost: 95 });
  const [first, second] = under.told;
  t.same([first?.share, second?.share, under.told.length], [0.5, 0.9, 2]);
  const resetsAt = Date.parse('2026-04-01T00:00:00Z');
  const place = `x|cost|month UTC|@${Date.parse('2026-03-01')}`;
  t.same(first, { limit: 'x', of: 'cost', partition: [], share: 0.5, used: 95n, max: 100n, resetsAt, place });
  const next = new LimiterUnderTest(rules, { memory, store: under.store });
  next.settle(next.held({ amounts: { cost: 1 } }), { cost: 1 });
  t.same(next.told, []);
});

t.test('a budget is used up when a small request does not fit any more', async (t) => {
  const under = new LimiterUnderTest([limitRule('x', { cost: bound(100, MONTH), alertAt: [0.8, 1, 2] })]);
  const shares = () => under.told.splice(0).map(({ share, used }) => [share, used]);
  under.settle(under.held({ amounts: { cost: 70 } }), { cost: 70 });
  const running = under.held({ amounts: { cost: 26 } });
  under.refused({ amounts: { cost: 10 } });
  t.same(shares(), [], 'it would fit but for a running one');
  under.settle(running, { cost: 26 });
  t.same(shares(), [[0.8, 96n]]);
  under.refused({ amounts: { cost: 11 } });
  t.same(shares(), [], 'a large one says little');
  under.refused({ amounts: { cost: 5 } });
  under.refused({ amounts: { cost: 5 } });
  t.same(shares(), [[1, 96n]]);
});

t.test('rows', async (t) => {
  const memory = createLimiterMemory();
  const per = [{ kind: 'key.id' }, { kind: 'request.headers', name: 'x-app' }] as const;
  const under = new LimiterUnderTest(
    [limitRule('x', { per, requests: bound(10), action: { kind: 'shadow' } }), limitRule('gone', { concurrent: 1 })],
    { memory },
  );
  under.settle(under.held({ headers: { 'x-app': 'a'.repeat(300) } }));
  under.held({ key: 'ci' });
  const next = new LimiterUnderTest([limitRule('x', { per, requests: bound(20) })], { memory, store: under.store });
  const rows = await next.rows();
  t.same(
    rows.map(({ partition, state: { used, held } }) => [partition, used, held]),
    [
      [{ 'key.id': 'ci', 'request.headers.x-app': '' }, 0n, 1n],
      [{ 'key.id': 'web', 'request.headers.x-app': `${'a'.repeat(200)}…` }, 1n, 0n],
    ],
    'of present limits, the latest first',
  );
  next.now += 60_000;
  next.store.mode = 'down';
  t.equal((await next.rows()).length, 2, 'as they were seen last');
});

t.test('rows are bounded, and the latest are among them', async (t) => {
  const memory = { ...createLimiterMemory(), seen: new SeenCounters(20) };
  const under = new LimiterUnderTest([limitRule('x', { per: [{ kind: 'key.id' }], requests: bound(1000) })], {
    memory,
  });
  const shown = async () => (await under.rows()).map(({ partition }) => partition['key.id']);
  const used: string[] = [];
  for (let number = 0; number < 57; number += 1) {
    // One of them is used all the time.
    for (const key of [`k${number}`, 'often']) {
      under.settle(under.held({ key }));
      if (used.includes(key)) used.splice(used.indexOf(key), 1);
      used.unshift(key);
    }
    const keys = await shown();
    t.ok(keys.length <= 20 && keys.length >= Math.min(used.length, 10), `${keys.length} rows`);
    t.same(keys, used.slice(0, keys.length), 'the latest first, each once');
  }
});

t.test('conditions that name limits', async (t) => {
  const seen: unknown[] = [];
  const full = compiled('limit["budget"].ratio >= 0.5 && limit["budget"].max == 8.0');
  const when = {
    ...full,
    matches: (subject: Subject) => {
      seen.push([subject.limit('budget'), subject.limit('other')]);
      return full.matches(subject);
    },
  };
  const under = new LimiterUnderTest([
    limitRule('budget', { per: PER_USER, cost: bound(dollars(8)), requests: bound(100) }),
    limitRule('late', { when, requests: bound(1) }),
  ]);
  const ask = { user: 'ann', amounts: { cost: 2_000_000_000 } };
  under.settle(under.held(ask), { cost: 2_000_000_000 });
  under.settle(under.held(ask), { cost: 2_000_000_000 });
  under.held({ user: 'bob' });
  under.held(ask);
  t.equal(under.refused(ask).limit, 'late');
  const none = { used: 0, max: 0, ratio: 0 };
  t.same(seen, [
    [{ used: 0, max: 100, ratio: 0 }, none],
    [{ used: 2, max: 8, ratio: 0.25 }, none],
    [{ used: 0, max: 100, ratio: 0 }, none],
    [{ used: 4, max: 8, ratio: 0.5 }, none],
    [{ used: 4, max: 8, ratio: 0.5 }, none],
  ]);
});

t.test('states for routes', async (t) => {
  const under = new LimiterUnderTest([
    limitRule('x', { requests: bound(4) }),
    limitRule('off', { when: compiled('key.id == "nobody"'), requests: bound(0) }),
  ]);
  under.held({ id: 'a' });
  const subject = subjectOf();
  const known: unknown[] = [];
  const note = (names: readonly string[]) =>
    under.limiter.states(names, subject, (answered) => {
      known.push(answered === subject ? 'same' : [answered.limit('x'), answered.limit('off').ratio]);
    });
  note([]);
  note(['x', 'off', 'unknown']);
  under.store.mode = 'down';
  note(['x']);
  t.same(known, ['same', [{ used: 1, max: 4, ratio: 0.25 }, 1], [{ used: 0, max: 4, ratio: 0 }, 0]]);
});

import fc from 'fast-check';
import t from 'tap';
import type { Target } from '../../../src/config/snapshot.js';
import { createHealth } from '../../../src/providers/health/create-health.js';
import type { Failure, FailureKind, Health } from '../../../src/providers/health/health.js';
import { seededRandom } from '../../seeded-random.js';
import { simulateOutage } from './outage.js';

function target(name: string): Target {
  const [provider = '', model = ''] = name.split('/');
  return { name, provider, model };
}

const a1 = target('a/1');
const a2 = target('a/2');
const a3 = target('a/3');
const b1 = target('b/1');
const c1 = target('c/1');

const failure = (kind: FailureKind, cooldownMs: number | null = null): Failure => ({ kind, cooldownMs });
const names = (targets: readonly Target[]): string => targets.map(({ name }) => name).join(' ');

function fail(health: Health, given: Target, kind: FailureKind, times = 1): void {
  for (let count = 0; count < times; count += 1) health.attemptFailed(given, failure(kind), 0);
}

t.test('what opens a target', async (t) => {
  const opensAfter: Readonly<Record<FailureKind, number>> = {
    connect: 2,
    auth: 2,
    rate_limited: 2,
    server: 3,
    reset: 3,
    timeout: 3,
    first_token: 3,
    error_event: 3,
    empty: 3,
    cut: 3,
    stall: 3,
  };
  for (const kind of Object.keys(opensAfter) as FailureKind[]) {
    const health = createHealth();
    fail(health, a1, kind, opensAfter[kind] - 1);
    t.equal(names(health.order([a1, b1], 0)), 'a/1 b/1', `${kind}: not yet`);
    fail(health, a1, kind);
    t.equal(names(health.order([a1, b1], 0)), 'b/1 a/1', `${kind}: ${opensAfter[kind]} in a row`);
    t.equal(names(health.order([a1], 0)), 'a/1', 'never away');
  }
  const asked = createHealth();
  asked.attemptFailed(a1, failure('rate_limited', 20_000), 0);
  t.equal(names(asked.order([a1, b1], 19_999)), 'b/1 a/1', 'a single 429 that states a time');
  t.equal(names(asked.order([a1, b1], 20_000)), 'a/1 b/1');
  asked.attemptFailed(b1, failure('server', 3_600_000), 0);
  t.equal(asked.view('b', 0).ejectedUntil, 60_000, 'capped');
  const half = createHealth();
  for (let count = 0; count < 5; count += 1) {
    half.attemptSucceeded(a1, 100, count);
    half.attemptFailed(a1, failure('server'), count);
  }
  t.equal(half.view('a', 5).targets[0]?.state, 'open', 'half of ten failed');
  const recovered = createHealth();
  for (let count = 0; count < 15; count += 1) recovered.attemptFailed(a1, failure('server'), 0);
  recovered.attemptStarted(a1, 5_000);
  recovered.attemptSucceeded(a1, 100, 5_100, 5_000);
  recovered.attemptFailed(a1, failure('server'), 5_200);
  t.equal(recovered.view('a', 5_200).targets[0]?.state, 'closed', 'failures from before a recovery are done with');
  const old = createHealth();
  for (let count = 0; count < 9; count += 1) {
    old.attemptSucceeded(a1, 100, count * 10_000);
    old.attemptFailed(a1, failure('server'), count * 10_000);
  }
  t.equal(old.view('a', 80_000).targets[0]?.state, 'closed', 'not when it is spread over minutes');
});

t.test('what opens a provider', async (t) => {
  const refused = createHealth();
  fail(refused, a1, 'connect');
  fail(refused, a2, 'connect');
  t.equal(names(refused.order([a3, b1], 0)), 'b/1 a/3', 'refused twice, whatever the model');
  const keys = createHealth();
  fail(keys, a1, 'auth', 2);
  t.equal(names(keys.order([a1, a2, b1], 0)), 'a/2 b/1 a/1', 'one model may be forbidden');
  fail(keys, a2, 'auth');
  t.equal(names(keys.order([a2, a3, b1], 0)), 'b/1 a/2 a/3', 'three in a row: the account');
  const several = createHealth();
  fail(several, a1, 'server', 3);
  t.equal(names(several.order([a3, b1], 0)), 'a/3 b/1');
  fail(several, a2, 'timeout', 3);
  t.equal(names(several.order([a3, b1], 0)), 'b/1 a/3', 'a second target');
  const mixed = createHealth();
  fail(mixed, a1, 'server', 3);
  mixed.attemptSucceeded(a3, 50, 0);
  fail(mixed, a2, 'server', 3);
  t.equal(names(mixed.order([a3, b1], 0)), 'a/3 b/1', 'another one serves');
  t.equal(names(refused.order([a1, a3], 5_000)), 'a/1 a/3', 'trial of the provider');
  refused.attemptStarted(a1, 5_000);
  t.equal(names(refused.order([a3, b1], 5_001)), 'b/1 a/3', 'one trial for all its targets');
  refused.attemptSucceeded(a1, 10, 5_100, 5_000);
  t.equal(names(refused.order([a3, b1], 5_101)), 'a/3 b/1');
});

t.test('order', async (t) => {
  const health = createHealth();
  health.attemptFailed(a1, failure('rate_limited', 9_000), 0);
  health.attemptFailed(b1, failure('rate_limited', 4_000), 0);
  t.equal(names(health.order([a1, b1, c1], 0)), 'c/1 b/1 a/1', 'soonest due first');
  t.equal(names(health.order([c1, b1, a1], 4_000)), 'c/1 b/1 a/1', 'a trial keeps its place');
  const later = createHealth();
  later.attemptFailed(a1, failure('rate_limited', 1_000), 0);
  later.attemptFailed(b1, failure('rate_limited', 1_000), 0);
  t.equal(names(later.order([a1, b1, c1], 1_000)), 'a/1 c/1 b/1', 'one trial in a request');
  t.equal(names(later.order([a1, b1, c1], 1_000)), 'b/1 c/1 a/1', 'the next one tries the other');
  t.equal(names(later.order([a1, b1, c1], 1_000)), 'c/1 a/1 b/1', 'everybody else waits');
  later.attemptStarted(a1, 1_001);
  later.attemptAbandoned(a1, 1_050);
  t.equal(names(later.order([a1, b1, c1], 1_050)), 'a/1 c/1 b/1', 'the client left: the next request tries');
});

t.test('order is a permutation that keeps the healthy ones in place', async () => {
  const all = [a1, a2, a3, b1, c1];
  const kinds: readonly FailureKind[] = ['rate_limited', 'server', 'connect', 'auth', 'first_token'];
  const event = fc.record({
    target: fc.constantFrom(...all),
    what: fc.constantFrom('started', 'failed', 'succeeded', 'abandoned', 'ordered'),
    kind: fc.constantFrom(...kinds),
    cooldownMs: fc.oneof(fc.constant(null), fc.integer({ min: 0, max: 100_000 })),
    wait: fc.integer({ min: 0, max: 3_000 }),
    age: fc.oneof(fc.constant(null), fc.integer({ min: 0, max: 5_000 })),
  });
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60 }), fc.shuffledSubarray(all), (events, targets) => {
      const health = createHealth({ mostTargets: 4 });
      let now = 1_000_000;
      for (const { target: given, what, kind, cooldownMs, wait, age } of events) {
        now += wait;
        const began = age === null ? {} : { startedAt: now - age };
        if (what === 'started') health.attemptStarted(given, now);
        else if (what === 'failed') health.attemptFailed(given, { kind, cooldownMs, ...began }, now);
        else if (what === 'succeeded') health.attemptSucceeded(given, 10, now, began.startedAt);
        else if (what === 'abandoned') health.attemptAbandoned(given, now);
        else health.order(all, now);
        const views = new Map(['a', 'b', 'c'].map((name) => [name, health.view(name, now)]));
        const isWell = ({ name, provider }: Target): boolean =>
          views.get(provider)?.health !== 'ejected' &&
          views.get(provider)?.targets.every((view) => view.target !== name || view.state === 'closed') === true;
        const ordered = health.order(targets, now);
        if (ordered.length !== targets.length || !targets.every((one) => ordered.includes(one))) return false;
        const well = targets.filter(isWell);
        const kept = ordered.filter(isWell);
        // A provider on trial makes well targets of its own doubtful too, so only untouched providers are compared.
        const calm = ({ provider }: Target) => ['healthy', 'unknown'].includes(views.get(provider)?.health ?? '');
        if (names(well.filter(calm)) !== names(kept.filter(calm))) return false;
      }
      return true;
    }),
    { numRuns: 500 },
  );
});

t.test('an outage of 60 s under 50 parallel requests', async (t) => {
  const cases: readonly (readonly [FailureKind, number])[] = [
    ['connect', 1],
    ['server', 40],
    ['rate_limited', 20],
    ['first_token', 2_000],
  ];
  for (const [kind, failsAfter] of cases) {
    const run = fc.property(fc.integer(), fc.constantFrom(0, 0.1), (seed, leaving) => {
      const health = createHealth();
      const until = 65_000;
      const outage = { kind, failsAfter, from: 5_000, until, end: 80_000, parallel: 50, leaving };
      const calls = simulateOutage(health, [a1, b1], { ...outage, random: seededRandom(seed) });
      const dead = calls.filter((call) => call.target === 'a/1' && call.startedAt >= 5_000 && call.startedAt < until);
      // Those that began before the first ones failed; then one at a time, failing or left by its client.
      const burstUntil = 5_000 + 500 + failsAfter;
      const burst = dead.filter((call) => call.startedAt < burstUntil);
      const trials = dead.filter((call) => call.startedAt >= burstUntil && call.outcome === 'failed');
      const starts = trials.map((call) => call.startedAt).sort((one, other) => one - other);
      const spaced = starts.every((start, index) => index === 0 || start - (starts[index - 1] ?? 0) >= 5_000);
      const served = calls.filter((call) => call.target === 'a/1' && call.outcome === 'served');
      const back = Math.min(...served.map((call) => call.startedAt).filter((start) => start >= until));
      const after = calls.filter((call) => call.startedAt > back + 600);
      const others = calls.filter((call) => call.target === 'b/1' && call.outcome === 'failed');
      return (
        burst.length <= 100 &&
        trials.length <= 13 &&
        spaced &&
        back <= until + 5_000 + failsAfter + 600 &&
        others.length === 0 &&
        after.length > 50 &&
        after.every((call) => call.target === 'a/1')
      );
    });
    const result = fc.check(run, { numRuns: 10 });
    t.notOk(result.failed, `${kind}: ${fc.defaultReportMessage(result) ?? 'ok'}`);
  }
});

t.test('view', async (t) => {
  const health = createHealth();
  t.same(health.view('a', 0), { health: 'unknown', ejectedUntil: null, errorRate: null, targets: [] });
  health.attemptSucceeded(a2, 120, 0);
  health.attemptSucceeded(a1, null, 0);
  t.same(health.view('a', 10), {
    health: 'healthy',
    ejectedUntil: null,
    errorRate: 0,
    targets: [
      { target: 'a/1', state: 'closed', until: null, errorRate: 0, firstTokenMs: null },
      { target: 'a/2', state: 'closed', until: null, errorRate: 0, firstTokenMs: 120 },
    ],
  });
  health.attemptFailed(a1, failure('rate_limited', 8_000), 10);
  t.match(health.view('a', 10), {
    health: 'degraded',
    ejectedUntil: null,
    targets: [{ state: 'open', until: 8_010 }, {}],
  });
  health.attemptFailed(a2, failure('rate_limited', 2_000), 10);
  t.match(health.view('a', 10), { health: 'ejected', ejectedUntil: 5_010, errorRate: 0.5 }, 'both');
  t.match(health.view('a', 5_010), { health: 'degraded', targets: [{ state: 'open' }, { state: 'half_open' }] });
  fail(health, b1, 'connect', 2);
  t.match(health.view('b', 0), { health: 'ejected', ejectedUntil: 5_000, errorRate: 1 });
  t.equal(health.view('b', 400_000).health, 'unknown', 'nothing heard for long');
  const shaky = createHealth();
  for (let count = 0; count < 4; count += 1) shaky.attemptSucceeded(c1, 10, 0);
  fail(shaky, c1, 'server');
  t.equal(shaky.view('c', 0).health, 'degraded', 'a fifth fails');
});

t.test('probes', async (t) => {
  const health = createHealth();
  health.probed('a', null, 0);
  t.equal(health.view('a', 0).health, 'healthy');
  health.probed('a', 'connect', 0);
  health.probed('a', 'connect', 0);
  t.equal(names(health.order([a1, b1], 0)), 'b/1 a/1');
  health.probed('a', 'connect', 6_000);
  t.equal(names(health.order([a1, b1], 6_000)), 'b/1 a/1', 'no request was needed to find that out');
  health.probed('a', null, 7_000);
  t.equal(names(health.order([a1, b1], 7_000)), 'a/1 b/1');
  for (const kind of ['server', 'timeout', 'auth'] as const) health.probed('b', kind, 7_000);
  t.equal(health.view('b', 7_000).health, 'ejected');
});

t.test('latency and memory', async (t) => {
  const health = createHealth({ mostTargets: 3 });
  t.equal(health.latency(a1), null);
  health.attemptSucceeded(a1, 200, 0);
  t.equal(health.latency(a1), 200);
  fail(health, a1, 'server');
  t.ok((health.latency(a1) ?? 0) > 200);
  health.attemptSucceeded(b1, 10, 100_000);
  t.equal(health.latency(a1), null, 'not measured lately');
  for (let count = 0; count < 10; count += 1) fail(health, target(`c/${count}`), 'connect');
  t.equal(health.view('c', 0).targets.length, 3, 'bounded');
});

import t from 'tap';
import { createMemoryCounters } from '../../../src/store/memory/memory-counters.js';
import { asking, counter, MINUTE, sums, TOTAL } from '../ask.js';
import { runCounterCases, START } from '../counter-cases.js';
import { checkAgainstModel } from '../counter-property.js';

t.test('cases of every store', async (t) => {
  await runCounterCases(t, async (now) => ({ store: createMemoryCounters({ now }), close: async () => undefined }));
});

t.test('answers in the same turn', async (t) => {
  const store = createMemoryCounters({ now: () => START });
  const answers: string[] = [];
  const amounts = { requests: 1, input_tokens: 0, output_tokens: 0, tokens: 0, cost: 0 };
  store.hold({ id: 'a', counters: [counter('requests', MINUTE, 1)], amounts, ttlMs: 1 }, ({ kind }) =>
    answers.push(kind),
  );
  store.settle('a', amounts, ({ kind }) => answers.push(kind));
  store.read([], ({ kind }) => answers.push(kind));
  t.same(answers, ['held', 'settled', 'read']);
});

t.test('no room', async (t) => {
  let now = START;
  const ask = asking(createMemoryCounters({ now: () => now, maxCounters: 3 }));
  const at = (name: string) => counter('requests', MINUTE, 5, name);
  for (const name of ['a', 'b', 'c']) t.equal((await ask.hold(name, [at(name)])).kind, 'held');
  t.match(await ask.hold('d', [at('d')]), { kind: 'unavailable', error: { message: 'too many counters in use' } });
  t.equal(sums(await ask.hold('e', [at('a')])), '0/2', 'those that are there go on');
  await ask.settle('b', { requests: 0 });
  now += 60_000;
  // Remembered as long as they may be repeated.
  for (const name of ['a', 'c', 'e']) await ask.settle(name);
  now += 60_000;
  t.equal((await ask.hold('f', [at('f'), at('g'), at('h')])).kind, 'held', 'their windows are over');
  t.equal((await ask.hold('i', [counter('requests', TOTAL, 5)])).kind, 'unavailable');
});

t.test('state moves as lines', async (t) => {
  let now = START + 999;
  const counters = [
    counter('tokens', MINUTE, 100),
    counter('tokens', TOTAL, 10n ** 18n),
    counter('concurrent', TOTAL, 9),
  ];
  const rolling = counter('tokens', { kind: 'duration', ms: 60_000, sliding: true }, 100);
  const old = createMemoryCounters({ now: () => now });
  const before = asking(old);
  await before.seed({ source: 'one', used: new Map([[`${counters[1]?.key}@0`, 10n ** 17n + 1n]]) });
  for (const id of ['a', 'b', 'c']) await before.hold(id, [...counters, rolling], { tokens: 10, ttlMs: 50_000 });
  await before.settle('a', { tokens: 3 });
  now += 5000;
  await before.settle('b', { tokens: 4 });
  await before.hold('d', [rolling], { tokens: 1 });
  const fresh = createMemoryCounters({ now: () => 0 });
  fresh.importState([...old.exportState()]);
  const after = asking(fresh);
  t.same(
    await after.read(...counters, rolling),
    await before.read(...counters, rolling),
    'with the time of the old one',
  );
  t.same([...fresh.exportState()].sort(), [...old.exportState()].sort());
  t.match(await after.hold('a', counters), { kind: 'held' }, 'ended before: counts nothing');
  t.equal(sums(await after.settle('c', { tokens: 5 })), `12/0 ${10n ** 17n + 13n}/0 0/0 12/1`);
  t.equal(await after.seed({ source: 'one', used: new Map([[`${counters[1]?.key}@0`, 1n]]) }), null);
  t.equal(sums({ states: await after.read(...counters) }), `12/0 ${10n ** 17n + 13n}/0 0/0`, 'told before');
  t.throws(() => fresh.importState(['{"kind":"other"}']));
});

t.test('case 112: anything in any order, against a model', async (t) => {
  const clock = { now: START };
  await t.resolves(checkAgainstModel(createMemoryCounters({ now: () => clock.now }), clock, { runs: 500 }));
});

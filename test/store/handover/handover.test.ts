import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { connectCounters } from '../../../src/store/handover/connect-counters.js';
import { type SharedCounters, type ShareOptions, shareCounters } from '../../../src/store/handover/share-counters.js';
import { takeCounters } from '../../../src/store/handover/take-counters.js';
import { createMemoryCounters, type PortableCounters } from '../../../src/store/memory/memory-counters.js';
import { type Asking, asking, counter, sums, TOTAL } from '../ask.js';
import { runCounterCases, START } from '../counter-cases.js';
import { checkAgainstModel } from '../counter-property.js';

const BUDGET = [counter('cost', TOTAL, 10_000), counter('concurrent', TOTAL, 10_000)];

/** Of `t.testdir` the path is too long for a socket. */
function directory(t: Test): string {
  const path = mkdtempSync(join(tmpdir(), 'tg-'));
  t.teardown(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

interface Generation {
  readonly store: PortableCounters;
  readonly shared: SharedCounters;
  readonly ask: Asking;
  readonly socketPath: string;
}

type More = Partial<Pick<ShareOptions, 'successor' | 'filled'>>;

async function generation(t: Test, folder: string, number: number, more: More = {}): Promise<Generation> {
  const socketPath = join(folder, `counters-${number}.sock`);
  const store = createMemoryCounters({ now: () => START });
  const shared = await shareCounters({ store, socketPath, ...more });
  t.teardown(() => shared.close());
  return { store, shared, ask: asking(shared), socketPath };
}

/** Speaks the older one's protocol by hand. */
function taker(path: string) {
  const socket = connect(path);
  return {
    send: (message: object) => socket.write(`${JSON.stringify(message)}\n`),
    next: () => once(socket, 'data'),
    end: () => socket.destroy(),
  };
}

t.test('cases of every store, through a socket', async (t) => {
  const folder = directory(t);
  let count = 0;
  await runCounterCases(t, async (now) => {
    count += 1;
    const socketPath = join(folder, `${count}.sock`);
    const shared = await shareCounters({ store: createMemoryCounters({ now }), socketPath });
    const store = connectCounters(socketPath);
    return {
      store,
      close: async () => {
        store.close();
        await shared.close();
      },
    };
  });
});

/** The older one has everything: nobody asks the ledger. */
const seed = (): Promise<void> => Promise.reject(new Error('there is nothing to seed'));

t.test('anything in any order, against a model, through a socket', async (t) => {
  const clock = { now: START };
  const socketPath = join(directory(t), 'a.sock');
  const shared = await shareCounters({ store: createMemoryCounters({ now: () => clock.now }), socketPath });
  t.teardown(() => shared.close());
  const store = connectCounters(socketPath);
  t.teardown(() => store.close());
  await t.resolves(checkAgainstModel(store, clock, { runs: 60 }));
});

t.test('taken over with holds and settlements under way', async (t) => {
  const folder = directory(t);
  let number = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat({ max: 3 }), { minLength: 20, maxLength: 80 }), async (pauses) => {
      number += 2;
      const old = await generation(t, folder, number);
      const young = await generation(t, folder, number + 1);
      // Some that the transfer finds.
      for (let index = 0; index < 300; index += 1) await old.ask.hold(`before${index}`, BUDGET, { cost: 1 });
      const taking = takeCounters({ from: old.socketPath, store: young.store, socketPath: young.socketPath, seed });
      const ends = pauses.map(async (pause, index) => {
        for (let turn = 0; turn < index * pause; turn += 1) await new Promise((resolve) => setImmediate(resolve));
        const held = await old.ask.hold(`during${index}`, BUDGET, { cost: 2 });
        const settled = [await old.ask.settle(`before${index}`, { cost: 3 })];
        if (index % 2 === 0) settled.push(await old.ask.settle(`during${index}`, { cost: 5 }));
        return [held, ...settled].every(({ kind }) => kind === 'held' || kind === 'settled');
      });
      if ((await taking).kind !== 'taken') throw new Error('not taken');
      if (!(await Promise.all(ends)).every(Boolean)) throw new Error('an operation failed');
      const [all, even] = [pauses.length, Math.ceil(pauses.length / 2)];
      const wanted = `${3 * all + 5 * even}/${300 - all + 2 * (all - even)} 0/${300 - even}`;
      for (const { ask } of [old, young]) {
        const found = sums({ states: await ask.read(...BUDGET) });
        if (found !== wanted) throw new Error(`found ${found}, wanted ${wanted}`);
      }
      await old.shared.close();
      await young.shared.close();
    }),
    { numRuns: 15 },
  );
});

t.test('the newer one dies while it takes', async (t) => {
  const folder = directory(t);
  const old = await generation(t, folder, 1);
  await old.ask.hold('a', BUDGET, { cost: 10 });
  const dying = taker(old.socketPath);
  dying.send({ take: join(folder, 'nobody.sock') });
  await dying.next();
  const settling = old.ask.settle('a', { cost: 7 });
  const holding = old.ask.hold('b', BUDGET, { cost: 2 });
  dying.end();
  t.equal(sums(await settling), '7/0 0/0', 'what waited goes on');
  t.equal(sums(await holding), '7/2 0/1');
  t.notOk(old.shared.isTaken);
  const young = await generation(t, folder, 2);
  t.same(await takeCounters({ from: old.socketPath, ...young, seed }), { kind: 'taken' }, 'another one may take');
  t.equal(sums(await old.ask.settle('b', { cost: 1 })), '8/0 0/0');
  t.ok(old.shared.isTaken);
  t.equal(sums({ states: await young.ask.read(...BUDGET) }), '8/0 0/0');
});

t.test('the newer one dies when it has everything', async (t) => {
  const folder = directory(t);
  const [first, second, third] = await Promise.all([1, 2, 3].map((number) => generation(t, folder, number)));
  if (first === undefined || second === undefined || third === undefined) throw new Error('no generations');
  await first.ask.hold('a', BUDGET, { cost: 10 });
  await takeCounters({ from: first.socketPath, ...second, seed });
  t.equal((await takeCounters({ from: first.socketPath, ...third, seed })).kind, 'failed', 'they are somebody else’s');
  await second.shared.close();
  t.equal((await first.ask.settle('a')).kind, 'unavailable');
  // As after a restart: its state comes from the ledger.
  const fromLedger = async (): Promise<void> => {
    await third.ask.seed({ holds: new Map([['a', { places: new Map([[`${BUDGET[0]?.key}@0`, 10]]), ttlMs: 1000 }]]) });
  };
  t.same(await takeCounters({ from: first.socketPath, ...third, seed: fromLedger }), { kind: 'taken' });
  t.equal(sums(await first.ask.settle('a', { cost: 4 })), '4/0');
  t.equal(sums({ states: await third.ask.read(...BUDGET) }), '4/0 0/0');
});

t.test('three generations', async (t) => {
  const folder = directory(t);
  const [first, second, third] = await Promise.all([1, 2, 3].map((number) => generation(t, folder, number)));
  if (first === undefined || second === undefined || third === undefined) throw new Error('no generations');
  await first.ask.hold('a', BUDGET, { cost: 10 });
  await takeCounters({ from: first.socketPath, ...second, seed });
  await second.ask.hold('b', BUDGET, { cost: 20 });
  await takeCounters({ from: second.socketPath, ...third, seed });
  t.equal(sums(await first.ask.settle('a', { cost: 1 })), '1/20 0/1', 'through the one between');
  t.equal(sums(await second.ask.settle('b', { cost: 2 })), '3/0 0/0');
  t.equal(sums({ states: await third.ask.read(...BUDGET) }), '3/0 0/0');
});

t.test('the one between ends before the oldest', async (t) => {
  const folder = directory(t);
  const third = await generation(t, folder, 3);
  const first = await generation(t, folder, 1, { successor: () => third.socketPath });
  const second = await generation(t, folder, 2);
  for (const id of ['a', 'b']) await first.ask.hold(id, BUDGET, { cost: 10 });
  await takeCounters({ from: first.socketPath, ...second, seed });
  t.equal(sums(await first.ask.settle('a', { cost: 1 })), '1/10 0/1');
  t.equal(sums({ states: await third.ask.read(...BUDGET) }), '0/0 0/0', 'as long as it is there, it is asked');
  await takeCounters({ from: second.socketPath, ...third, seed });
  await second.shared.close();
  // It is not known when the end is noticed.
  let result = await first.ask.settle('b', { cost: 2 });
  while (result.kind === 'unavailable') result = await first.ask.settle('b', { cost: 2 });
  t.equal(sums(result), '3/0 0/0');
  t.equal(sums({ states: await third.ask.read(...BUDGET) }), '3/0 0/0');
});

t.test('nobody is answered before the counters are there', async (t) => {
  const filled = Promise.withResolvers<void>();
  const young = await generation(t, directory(t), 1, { filled: filled.promise });
  const store = connectCounters(young.socketPath);
  t.teardown(() => store.close());
  const holding = asking(store).hold('a', BUDGET, { cost: 1 });
  for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  await young.ask.hold('b', BUDGET, { cost: 20 });
  filled.resolve();
  t.equal(sums(await holding), '0/21 0/2');
});

t.test('nobody to take from, nobody to ask', async (t) => {
  const folder = directory(t);
  const young = await generation(t, folder, 1);
  t.match(await takeCounters({ from: join(folder, 'none.sock'), ...young, seed }), {
    kind: 'failed',
    error: { code: 'ENOENT' },
  });
  const store = connectCounters(join(folder, 'none.sock'));
  t.match(await asking(store).hold('a', BUDGET), { kind: 'unavailable', error: { code: 'ENOENT' } });
  t.notOk(store.isReachable);
  const late = await generation(t, folder, 2);
  const again = connectCounters(late.socketPath);
  t.teardown(() => again.close());
  t.equal((await asking(again).hold('a', BUDGET)).kind, 'held');
});

t.test('silence', async (t) => {
  const folder = directory(t);
  const old = await shareCounters({
    store: createMemoryCounters({ now: () => START }),
    socketPath: join(folder, 'a.sock'),
    timeoutMs: 50,
  });
  t.teardown(() => old.close());
  const hanging = taker(join(folder, 'a.sock'));
  hanging.send({ take: 'nowhere' });
  await hanging.next();
  t.equal((await asking(old).hold('a', BUDGET)).kind, 'unavailable', 'a taker that hangs');
  hanging.end();
  // It is not known when the end is noticed.
  let result = await asking(old).hold('b', BUDGET, { cost: 1 });
  while (result.kind !== 'held') result = await asking(old).hold('b', BUDGET, { cost: 1 });
  t.equal(sums(result), '0/1 0/1', 'what was given up is not counted');
});

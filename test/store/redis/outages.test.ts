import { Redis } from 'ioredis';
import t, { type Test } from 'tap';
import { missing } from '../../servers/binaries.js';
import { freePort } from '../../servers/free-port.js';
import { asking, calendar, counter, MINUTE, ROLLING, sums, TOTAL } from '../ask.js';
import { connectStore, openStore, startServer } from './connect-store.js';

const skip = missing('redis');
const BUDGET = [counter('cost', TOTAL, 100)];
const PLACE = `${BUDGET[0]?.key}@0`;

function client(t: Test, url: string): Redis {
  const redis = new Redis(url, { retryStrategy: () => 10 });
  redis.on('error', () => undefined);
  t.teardown(() => redis.disconnect());
  return redis;
}

/** Nobody tells when a store in another process has come to know something. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 10));
}

t.test('nobody there', { skip }, async (t) => {
  const { store, problems } = openStore(t, `redis://127.0.0.1:${await freePort()}`);
  const ask = asking(store);
  t.equal((await ask.hold('a', BUDGET)).kind, 'unavailable', 'at once');
  t.equal((await ask.settle('a')).kind, 'unavailable');
  await t.rejects(ask.read(...BUDGET));
  t.match(await ask.seed({}), Error);
  await until(async () => problems.length > 0);
  t.equal(problems.length, 1, 'told once');
  t.equal(store.processes(), 1);
});

t.test('case 55: silent for a while', { skip }, async (t) => {
  const server = await startServer(t);
  const { store } = await connectStore(t, server.url, { timeoutMs: 200 });
  const ask = asking(store);
  await ask.hold('before', BUDGET, { cost: 40 });
  server.pause();
  const results = await Promise.all(
    Array.from({ length: 50 }, (_, index) => ask.hold(`late${index}`, BUDGET, { cost: 1 })),
  );
  t.ok(results.every(({ kind }) => kind === 'unavailable'));
  t.equal((await ask.settle('before', { cost: 30 })).kind, 'unavailable');
  server.resume();
  const wanted = await ask.hold('late7', BUDGET, { cost: 1 });
  t.equal(wanted.kind, 'held', 'asked again: it stays');
  await until(async () => sums({ states: await ask.read(...BUDGET) }) === '30/1');
  t.pass('what was made too late was taken back, and the settlement was carried out');
  t.equal((await ask.settle('before', { cost: 30 })).kind, 'unknown', 'so that it is not counted again');
  t.equal(sums(await ask.hold('late8', BUDGET, { cost: 2 })), '30/3', 'what was taken back may be held anew');
});

t.test('case 55: killed and back, with its data', { skip }, async (t) => {
  const server = await startServer(t, { appendOnly: true });
  const { store, problems, asked } = await connectStore(t, server.url);
  const ask = asking(store);
  await ask.hold('a', BUDGET, { cost: 40 });
  await ask.settle('a', { cost: 30 });
  await ask.hold('b', BUDGET, { cost: 20 });
  server.pause();
  const cut = [ask.hold('c', BUDGET, { cost: 5 }), ask.settle('b', { cost: 10 })];
  await server.kill();
  for (const result of await Promise.all(cut)) t.equal(result.kind, 'unavailable', 'at once, not after the time limit');
  t.equal((await ask.hold('d', BUDGET)).kind, 'unavailable');
  t.equal(problems.length, 1);
  await server.start();
  await until(async () => problems.length > 1);
  t.equal(problems[1], null);
  await until(async () => sums({ states: await ask.read(...BUDGET) }) === '30/20');
  t.equal(sums(await ask.settle('b', { cost: 10 })), '40/0');
  t.equal(asked(), 1, 'it remembers what the ledger told');
});

t.test('case 55: back without its data', { skip }, async (t) => {
  const server = await startServer(t);
  const places = new Map([[PLACE, 1]]);
  const ledgers = ['one', 'two'].map((name, index) => ({
    prefix: 'shared',
    heartbeatMs: 100,
    ledger: () => ({
      source: name,
      used: new Map([[PLACE, BigInt(index + 1) * 10n]]),
      holds: new Map([[`open ${name}`, { places, ttlMs: 60_000 }]]),
    }),
  }));
  const stores = await Promise.all(ledgers.map((options) => connectStore(t, server.url, options)));
  const [one, two] = stores;
  if (one === undefined || two === undefined) throw new Error('no stores');
  await until(async () => one.store.processes() === 2);
  const ask = asking(one.store);
  t.equal(sums({ states: await ask.read(...BUDGET) }), '30/2');
  await server.restartEmpty();
  const results: string[] = [];
  await until(async () => {
    const result = await ask.hold(`r${results.length}`, BUDGET, { cost: 1 });
    results.push(sums(result));
    return result.kind === 'held';
  });
  t.equal(results.pop(), '30/3', 'it waited for both ledgers');
  t.ok(results.every((result) => result === 'unavailable'));
  await Promise.all(stores.map(({ told }) => told(2)));
  t.equal(sums(await asking(two.store).settle('open one', { cost: 5 })), '35/2');

  const redis = client(t, server.url);
  await until(async () => one.store.processes() === 2);
  await redis.flushall();
  t.match(sums(await ask.hold('after', BUDGET, { cost: 1 })), '30/3', 'emptied under a living connection');
  const restarted = await connectStore(t, server.url, { ...ledgers[0], processId: 'one again' });
  t.equal(sums({ states: await asking(restarted.store).read(...BUDGET) }), '30/3', 'a ledger is told once');
});

t.test('a long ledger, told by two at once, one of which dies', { skip }, async (t) => {
  const server = await startServer(t);
  const counters = Array.from({ length: 1200 }, (_, index) => counter('cost', calendar('month'), 100, `p${index}`));
  const now = Date.now();
  const month = Date.UTC(new Date(now).getUTCFullYear(), new Date(now).getUTCMonth(), 1);
  const used = new Map(counters.map(({ key }, index) => [`${key}@${month}`, BigInt(index)] as const));
  const telling = { prefix: 'long', ledger: () => ({ source: 'same', used }) };
  const first = openStore(t, server.url, telling);
  await until(async () => first.asked() > 0);
  const others = [1, 2].map(() => openStore(t, server.url, telling));
  await first.store.close();
  await Promise.all(others.map(({ told }) => told(1)));
  for (const { store } of others) {
    const states = await asking(store).read(...counters);
    t.ok(states.every((state, index) => state.used === BigInt(index)));
  }
  const left = await client(t, server.url).keys('*seed*');
  t.ok(left.length <= 1, 'at most the list of the one that died before it was claimed, which expires');
});

t.test('what stays', { skip }, async (t) => {
  const server = await startServer(t);
  const { store } = await connectStore(t, server.url, { prefix: 'keys' });
  const ask = asking(store);
  const counters = [
    counter('requests', MINUTE, 9),
    counter('requests', ROLLING, 9),
    counter('requests', calendar('day'), 9),
    counter('requests', TOTAL, 9),
    counter('concurrent', TOTAL, 9),
  ];
  await ask.hold('a', counters);
  await ask.settle('a');
  const redis = client(t, server.url);
  const expiring = async (name: string): Promise<boolean> => (await redis.pttl(`{keys}:limits:${name}`)) > 0;
  for (const { key } of counters.slice(0, 3)) t.ok(await expiring(`c:${key}`), key);
  t.equal(await redis.pttl(`{keys}:limits:c:${counters[3]?.key}`), -1, 'a total is kept');
  t.equal(await redis.exists(`{keys}:limits:c:${counters[4]?.key}`), 0, 'nothing runs');
  t.ok(await expiring('h:a'));
  t.equal(await redis.zcard('{keys}:limits:open'), 0);
});

t.test('processes', { skip }, async (t) => {
  const server = await startServer(t);
  const options = { prefix: 'many', heartbeatMs: 50 };
  const [one, two] = await Promise.all([1, 2].map(() => connectStore(t, server.url, options)));
  if (one === undefined || two === undefined) throw new Error('no stores');
  await until(async () => one.store.processes() === 2);
  const cut = asking(two.store).hold('a', BUDGET);
  await two.store.close();
  t.match(await cut, { kind: /held|unavailable/ });
  t.equal((await asking(two.store).hold('b', BUDGET)).kind, 'unavailable', 'closed');
  await until(async () => one.store.processes() === 1);
  t.pass('a silent one is gone');
});

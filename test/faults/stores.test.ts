/** The store of the limits and the database of the records, stopped, slow, started again and emptied under a gateway that goes on. */
import { createServer } from 'node:http';
import pg from 'pg';
import t, { type Test } from 'tap';
import { exchange, type Received } from '../e2e/client.js';
import { type Gateway, startGateway } from '../e2e/harness.js';
import { type Scripted, startScripted, streamScript } from '../e2e/scripted.js';
import { eventually } from '../eventually.js';
import { missing } from '../servers/binaries.js';
import { type PostgresServer, startPostgres } from '../servers/postgres.js';
import { type RedisServer, startRedis } from '../servers/redis.js';
import { ask, count, counted, DOLLAR_EACH, drain, openStream, recorded, spent, untilCounted } from './dollars.js';

const WORDS = ['one ', 'two ', 'three '];
const TIMEOUT_MS = 500;
/** More than any of these requests takes by itself, on whatever machine. */
const SLACK_MS = 3_000;
const SOFT_MAX = 8;
const SLOW_MAX = 200;
const REBUILT_MAX = 20;
const ORPHAN_MAX = 10;
const UNSENT_MAX = 5;

const LIMITS = [
  { name: 'hard', cost: { max: 100, window: 'total' } },
  { name: 'soft', cost: { max: SOFT_MAX, window: 'total' }, hard: false },
  { name: 'shadow', cost: { max: 1, window: 'total' }, action: 'shadow' },
  { name: 'slow', cost: { max: SLOW_MAX, window: 'total' } },
  { name: 'rebuilt', cost: { max: REBUILT_MAX, window: 'total' } },
  { name: 'orphan', cost: { max: ORPHAN_MAX, window: 'total' } },
  { name: 'unsent', cost: { max: UNSENT_MAX, window: 'total' } },
];
/** One key per limit, and one without any. */
const KEYS = [...LIMITS.map(({ name }) => name), 'free'];

const skip = missing('valkey') || missing('postgres');
const alerts: string[] = [];
let provider: Scripted;
let gateway: Gateway;
let redis: RedisServer;
let postgres: PostgresServer;

const keyOf = (id: string): string => `sk-stores-${id}-0123456789abcdef`;
const asked = (id: string, model = 'p/x') => ({ key: keyOf(id), model });
const times = <Result>(number: number, run: () => Promise<Result>): Promise<Result[]> =>
  Promise.all(Array.from({ length: number }, run));

t.before(async () => {
  if (skip) return;
  provider = await startScripted();
  t.teardown(() => provider.close());
  [redis, postgres] = await Promise.all([startRedis({ kind: 'valkey', appendOnly: true }), startPostgres()]);
  t.teardown(() => redis.stop());
  t.teardown(() => postgres.stop());
  gateway = await startGateway(t, {
    config: {
      store: { kind: 'redis', url: redis.url, timeout: `${TIMEOUT_MS}ms` },
      records: { kind: 'postgres', url: postgres.url },
      alerts: { webhook: await startReceiver() },
      keys: KEYS.map((id) => ({ id, secret: keyOf(id) })),
      providers: { p: { kind: 'openai-compatible', base_url: provider.baseUrl } },
      prices: DOLLAR_EACH,
      limits: LIMITS.map((limit) => ({ ...limit, when: `key.id == "${limit.name}"` })),
    },
  });
  provider.on('long', () => ({ ...streamScript('long', WORDS), hold: 2 }));
});

/** Notes the kinds of all alerts. */
async function startReceiver(): Promise<string> {
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => {
      body += text;
    });
    request.on('end', () => {
      alerts.push((JSON.parse(body) as { kind: string }).kind);
      response.end();
    });
  });
  const port = await new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address ? address.port : 0);
    });
  });
  t.teardown(() => server.close());
  return `http://127.0.0.1:${port}/`;
}

interface Readiness {
  readonly status: number;
  readonly degraded: readonly string[];
}

async function readiness(): Promise<Readiness> {
  const { status, text } = await exchange(`${gateway.adminUrl}/readyz`, { method: 'GET' });
  return { status, degraded: (JSON.parse(text) as { degraded: readonly string[] }).degraded };
}

function isRefusal(t: Test, answer: Received | undefined): void {
  t.equal(answer?.status, 503);
  t.match(answer?.text, /limits_unavailable/);
  t.ok(Number(answer?.headers['retry-after']) >= 1, 'says when to come back');
}

/** Streams that have begun and do not end before `provider.release()`. */
async function running(id: string, number: number) {
  const streams = await times(number, () => openStream(gateway, asked(id, 'p/long')));
  await Promise.all(streams.map((stream) => stream.until('one ')));
  return streams;
}

async function endWhole(t: Test, streams: Awaited<ReturnType<typeof running>>): Promise<void> {
  provider.release();
  const ends = await Promise.all(streams.map((stream) => stream.finished()));
  const whole = ends.filter(({ complete, text }) => complete && text.endsWith('data: [DONE]\n\n'));
  t.equal(whole.length, streams.length, 'no stream has been disturbed');
}

t.test('cases 55 and 64: the store is stopped, and is back', { skip }, async (t) => {
  t.same(count(await times(2, () => ask(gateway, asked('soft')))), { 200: 2 });
  t.same(count(await times(3, () => ask(gateway, asked('hard')))), { 200: 3 });
  const streams = await running('hard', 2);
  t.same((await readiness()).degraded, []);
  await redis.kill();
  await eventually('it is known before anybody asks', async () => (await readiness()).degraded.length > 0);

  isRefusal(t, await ask(gateway, asked('hard')));
  t.same(count(await times(3, () => ask(gateway, asked('shadow')))), { 200: 3 }, 'only watched');
  t.same(count(await times(3, () => ask(gateway, asked('free')))), { 200: 3 }, 'not limited');
  t.equal(await drain(gateway, asked('soft')), SOFT_MAX, 'the share of the only process');
  isRefusal(t, await ask(gateway, asked('soft')));
  t.match(await readiness(), { status: 200, degraded: [/limits/] });
  await eventually('the alert', () => alerts.includes('limit_store_down'));
  await endWhole(t, streams);

  await redis.start();
  await eventually('hard limits again', async () => (await ask(gateway, asked('hard'))).status === 200);
  await eventually('the good news', () => alerts.includes('limit_store_up'));
  await untilCounted(gateway, 'hard', { used: 6, held: 0 });
  await untilCounted(gateway, 'soft', { used: 2 + SOFT_MAX, held: 0 });
  await eventually('nothing to complain about', async () => (await readiness()).degraded.length === 0);
  t.equal(spent([gateway], 'hard'), 6);
});

t.test('cases 55 and 64: the store is slow', { skip }, async (t) => {
  const streams = await running('slow', 2);
  redis.pause();
  const from = performance.now();
  const took: number[] = [];
  const answers = await times(100, async () => {
    const answer = await ask(gateway, asked('slow'));
    took.push(performance.now() - from);
    return answer;
  });
  t.same(count(answers), { 503: 100 });
  t.ok(Math.max(...took) < TIMEOUT_MS + SLACK_MS, `all within ${Math.round(Math.max(...took))} ms`);
  t.ok(Math.min(...took) >= TIMEOUT_MS - 50, 'after they had given it its time');
  t.same(count(await times(3, () => ask(gateway, asked('free')))), { 200: 3 });
  await gateway.metric('tollgate_open_requests', 2);
  redis.resume();
  // The server now does all that was asked of it, for requests that were answered long ago.
  await eventually('an answer', async () => (await ask(gateway, asked('slow'))).status === 200);
  await untilCounted(gateway, 'slow', { used: 1, held: 2 });
  await endWhole(t, streams);
  await untilCounted(gateway, 'slow', { used: 3, held: 0 });
});

t.test('case 55: the store has lost everything', { skip }, async (t) => {
  t.same(count(await times(5, () => ask(gateway, asked('rebuilt')))), { 200: 5 });
  const streams = await running('rebuilt', 3);
  await untilCounted(gateway, 'rebuilt', { used: 5, held: 3 });
  const slow = await counted(gateway, 'slow');
  await redis.restartEmpty();
  await eventually('an answer', async () => (await ask(gateway, asked('rebuilt'))).status === 200);
  await untilCounted(gateway, 'rebuilt', { used: 6, held: 3 });
  t.same(await counted(gateway, 'slow'), slow, 'all other counters, too');
  await endWhole(t, streams);
  await untilCounted(gateway, 'rebuilt', { used: 9, held: 0 });
  t.equal(await drain(gateway, asked('rebuilt')), REBUILT_MAX - 9);
  await gateway.settled();
  t.equal(spent([gateway], 'rebuilt'), REBUILT_MAX);
});

t.test('case 65: a service that starts while the store is away', { skip }, async (t) => {
  t.same(count(await times(2, () => ask(gateway, asked('orphan')))), { 200: 2 });
  const streams = await running('orphan', 2);
  const left = await running('orphan', 2);
  await redis.kill();
  // These are settled in the ledger, but the service takes what the store should know of them to its grave.
  for (const stream of left) stream.abort();
  await eventually('the ledger has it', () => gateway.unsettled().length === streams.length);
  const killed = gateway.pid('service');
  gateway.kill('service', 'SIGKILL');
  // And these end while nobody is there to tell the store.
  await endWhole(t, streams);
  await gateway.replaced(killed);
  await gateway.settled();
  isRefusal(t, await ask(gateway, asked('orphan')));
  await redis.start();
  await eventually('an answer', async () => (await ask(gateway, asked('orphan'))).status === 200);
  await untilCounted(gateway, 'orphan', { used: 7, held: 0 });
  t.equal(await drain(gateway, asked('orphan')), ORPHAN_MAX - 7);
  await gateway.settled();
  t.equal(spent([gateway], 'orphan'), ORPHAN_MAX);
});

t.test('a service that dies before it has taken back what it held in vain', { skip }, async (t) => {
  redis.pause();
  t.same(count(await times(UNSENT_MAX, () => ask(gateway, asked('unsent')))), { 503: UNSENT_MAX });
  const killed = gateway.pid('service');
  gateway.kill('service', 'SIGKILL');
  // Only now are the holds made, for requests that are over.
  redis.resume();
  await gateway.replaced(killed);
  await eventually('an answer', async () => (await ask(gateway, asked('unsent'))).status === 200);
  await untilCounted(gateway, 'unsent', { used: 1, held: 0 });
  t.equal(await drain(gateway, asked('unsent')), UNSENT_MAX - 1);
});

/** Median milliseconds of requests one after the other. */
async function pace(number: number): Promise<number> {
  const took: number[] = [];
  for (let at = 0; at < number; at += 1) {
    const from = performance.now();
    const { status } = await ask(gateway, asked('free'));
    if (status !== 200) throw new Error(`answered ${status}`);
    took.push(performance.now() - from);
  }
  return took.sort((one, other) => one - other)[Math.floor(number / 2)] ?? Number.NaN;
}

/** Mean delay of the service's event loop since the last look, in milliseconds. */
async function loopDelay(): Promise<number> {
  const value = /^nodejs_eventloop_lag_mean_seconds (\S+)$/m.exec(await gateway.metrics())?.[1];
  return Number(value) * 1000;
}

/** The records of one key say what the ledger says, to the dollar. */
async function untilRecorded(t: Test, key: string): Promise<void> {
  const inRecords = (): Promise<number> => recorded(gateway, key).catch(() => -1);
  await eventually(`${key} in the records`, async () => (await inRecords()) === spent([gateway], key));
  t.ok((await inRecords()) > 0, `${await inRecords()} dollars of ${key}`);
}

t.test('the records are slow, stopped, started again and emptied', { skip }, async (t) => {
  const streams = await running('free', 2);
  await pace(50);
  await loopDelay();
  const usual = { pace: await pace(100), delay: await loopDelay() };

  const slowly = async (what: string): Promise<void> => {
    const now = { pace: await pace(100), delay: await loopDelay() };
    const figures = `${now.pace.toFixed(1)} ms, usually ${usual.pace.toFixed(1)} ms`;
    t.ok(now.pace < 3 * usual.pace + 20, `${what}: a request takes ${figures}`);
    const delays = `${now.delay.toFixed(1)} ms, usually ${usual.delay.toFixed(1)} ms`;
    t.ok(now.delay < 2 * usual.delay + 10, `${what}: the event loop is late by ${delays}`);
  };
  postgres.pause();
  await slowly('paused');
  // Long enough for the thread of the records, and what follows issued keys, to wait in vain.
  await eventually('the trouble is seen', async () => (await readiness()).degraded.length > 0);
  await slowly('paused for long');
  t.equal((await readiness()).status, 200);
  postgres.resume();
  await untilRecorded(t, 'free');

  await postgres.kill();
  await eventually('the trouble is seen', async () => (await readiness()).degraded.length > 0);
  await slowly('stopped');
  await postgres.start();
  await untilRecorded(t, 'free');

  await forgetAll();
  await slowly('emptied');
  await endWhole(t, streams);
  await gateway.settled();
  for (const key of KEYS) await untilRecorded(t, key);
  await eventually('nothing to complain about', async () => (await readiness()).degraded.length === 0);
});

async function forgetAll(): Promise<void> {
  const client = new pg.Client({ connectionString: postgres.url });
  await client.connect();
  await client.query('drop schema tollgate cascade; drop table tollgate_keys, tollgate_keys_head');
  await client.end();
}

/** Four gateways, each an Envoy and a service, that share one Redis and one Postgres and nothing else. */
import { Agent } from 'node:http';
import t, { type Test } from 'tap';
import { type Gateway, startGateway } from '../e2e/harness.js';
import { type Scripted, startScripted, streamScript } from '../e2e/scripted.js';
import { eventually } from '../eventually.js';
import { seededRandom } from '../seeded-random.js';
import { missing } from '../servers/binaries.js';
import { startPostgres } from '../servers/postgres.js';
import { startRedis } from '../servers/redis.js';
import { ask, count, DOLLAR_EACH, drain, openStream, recorded, spent, untilCounted } from './dollars.js';

const GATEWAYS = 4;
const BUDGET = 100;
const ASKED = 1000;
const PLAIN = 'sk-fleet-plain-0123456789abcdef';
const MIXED = 'sk-fleet-mixed-0123456789abcdef';
const WORDS = ['one ', 'two ', 'three '];
/** Streams that are open all the time, and requests beside them, some at a time: the budget is near its end for long. */
const OPEN = 24;
const BESIDE = 400;
const AT_ONCE = 80;

const skip = missing('redis') || missing('postgres');
const agent = new Agent({ keepAlive: true, maxSockets: 50 });
t.teardown(() => agent.destroy());
let provider: Scripted;
let fleet: readonly Gateway[] = [];

t.before(async () => {
  if (skip) return;
  provider = await startScripted();
  t.teardown(() => provider.close());
  const [redis, postgres] = await Promise.all([startRedis(), startPostgres()]);
  t.teardown(() => redis.stop());
  t.teardown(() => postgres.stop());
  const config = configFor(redis.url, postgres.url);
  fleet = await Promise.all(Array.from({ length: GATEWAYS }, () => startGateway(t, { config })));
});

function configFor(redis: string, postgres: string): Record<string, unknown> {
  return {
    // A busy machine is slow, and its store with it: nobody should be refused for that here.
    store: { kind: 'redis', url: redis, timeout: '10s' },
    records: { kind: 'postgres', url: postgres },
    admin: { pepper: 'the same pepper at all of them' },
    keys: [
      { id: 'plain', secret: PLAIN },
      { id: 'mixed', secret: MIXED },
    ],
    providers: {
      p: { kind: 'openai-compatible', base_url: provider.baseUrl },
      q: { kind: 'openai-compatible', base_url: provider.baseUrl },
    },
    models: { twice: { targets: ['p/bad', 'q/good'], retry_budget: 'off' } },
    prices: DOLLAR_EACH,
    limits: ['plain', 'mixed'].map((key) => ({
      name: key,
      when: `key.id == "${key}"`,
      cost: { max: BUDGET, window: 'total' },
    })),
  };
}

/** Requests take turns. */
function member(at: number): Gateway {
  const gateway = fleet[at % GATEWAYS];
  if (gateway === undefined) throw new Error('the fleet has not started');
  return gateway;
}

async function settled(): Promise<void> {
  await Promise.all(fleet.map((gateway) => gateway.settled()));
}

/** Requests that the provider answered for money. */
function paid(models: readonly string[]): number {
  return provider.captures.filter(({ model }) => models.includes(model ?? '')).length;
}

t.test(`case 62: ${ASKED} at once against one budget of ${BUDGET}`, { skip }, async (t) => {
  const asked = { key: PLAIN, model: 'p/x', agent };
  const answers = await Promise.all(Array.from({ length: ASKED }, (_, at) => ask(member(at), asked)));
  t.same(count(answers), { 200: BUDGET, 429: ASKED - BUDGET });
  t.equal(paid(['x']), BUDGET, 'exactly so many reach the provider');
  t.match(answers.find(({ status }) => status === 429)?.text, /insufficient_quota/);
  await settled();
  const shares = fleet.map((gateway) => spent([gateway], 'plain'));
  t.equal(spent(fleet, 'plain'), BUDGET, `all in all: ${shares.join(' + ')}`);
  await untilCounted(member(0), 'plain', { used: BUDGET, held: 0 });
});

t.test('streams, clients that leave, failing targets, and a service killed in the middle', { skip }, async (t) => {
  provider.on('stream', () => streamScript('stream', WORDS));
  for (const model of ['left', 'long']) provider.on(model, () => ({ ...streamScript(model, WORDS), hold: 2 }));
  provider.on('broken', () => ({ status: 500, chunks: ['{"error":{"message":"no"}}'] }));
  provider.on('bad', () => ({ status: 503 }));
  const streams = await Promise.all(
    Array.from({ length: OPEN }, (_, at) => openStream(member(at), { key: MIXED, model: 'p/long' })),
  );
  t.same(count(streams), { 200: OPEN });
  await provider.held(OPEN);
  await storm(t, member(1));
  t.ok(paid(['stream', 'left', 'long', 'good']) <= BUDGET, 'never above the budget');
  provider.release();
  const ends = await Promise.all(streams.map((stream) => stream.finished()));
  t.same([...new Set(ends.map(({ complete }) => complete))], [true], 'every open stream ends whole');
  await settled();
  // What failed has been given back, wherever it was; what was cut has been paid.
  await Promise.all(fleet.map((gateway) => drain(gateway, { key: MIXED, model: 'p/x', agent })));
  await settled();
  for (const gateway of fleet) await untilCounted(gateway, 'mixed', { used: BUDGET, held: 0 });
  t.equal(spent(fleet, 'mixed'), BUDGET, 'the whole budget, to the last dollar and no further');
  const stuck = fleet.flatMap((gateway) => gateway.unsettled());
  t.same(stuck, [], 'nothing is stuck');
});

/** All kinds of requests at all gateways, one of whose services dies after a third of them. */
async function storm(t: Test, victim: Gateway): Promise<void> {
  const random = seededRandom(1122);
  const leave = async (gateway: Gateway): Promise<{ readonly status: number }> => {
    const answer = await openStream(gateway, { key: MIXED, model: 'p/left' });
    if (answer.status !== 200) return answer.finished();
    // Before the first word, or after it.
    if (random() < 0.7) await answer.until('one ').catch(() => undefined);
    answer.abort();
    return answer;
  };
  const kinds = [
    leave,
    async (gateway: Gateway) => (await openStream(gateway, { key: MIXED, model: 'p/stream' })).finished(),
    (gateway: Gateway) => ask(gateway, { key: MIXED, model: 'p/broken', agent }),
    (gateway: Gateway) => ask(gateway, { key: MIXED, model: 'twice', agent }),
  ];
  const killed = victim.pid('service');
  const answers: { readonly status: number }[] = [];
  let begun = 0;
  const worker = async (): Promise<void> => {
    while (begun < BESIDE) {
      begun += 1;
      const kind = kinds[Math.floor(random() * kinds.length)] ?? leave;
      answers.push(await kind(member(begun)));
      if (answers.length === Math.floor(BESIDE / 3)) process.kill(killed, 'SIGKILL');
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  await victim.replaced(killed);
  const counts = count(answers);
  t.comment(`answers: ${JSON.stringify(counts)}`);
  t.ok((counts[200] ?? 0) > 0 && (counts[429] ?? 0) > 0, 'some were let through, and the budget came to its end');
}

t.test('the records of all are one book', { skip }, async (t) => {
  for (const key of ['plain', 'mixed']) {
    for (const gateway of fleet) {
      await eventually(`the records of ${key}`, async () => (await recorded(gateway, key)) >= BUDGET);
      t.equal(await recorded(gateway, key), spent(fleet, key));
    }
  }
});

interface Made {
  readonly id: string;
  readonly secret: string;
}

async function desk(gateway: Gateway, method: string, path: string): Promise<Made> {
  const response = await fetch(`${gateway.adminUrl}/api/v1/keys${path}`, {
    method,
    headers: { 'content-type': 'application/json' },
    body: '{}',
  });
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  return (await response.json()) as Made;
}

/** Milliseconds until all gateways answer a key like this. */
async function everywhere(key: string, status: number): Promise<number> {
  const from = performance.now();
  const each = fleet.map((gateway) =>
    eventually(`${status} everywhere`, async () => (await ask(gateway, { key, model: 'p/x' })).status === status),
  );
  await Promise.all(each);
  return performance.now() - from;
}

t.test('a key made at one gateway is a key at all of them, and so is its end', { skip }, async (t) => {
  const times: number[] = [];
  for (let at = 0; at < 3; at += 1) {
    const made = await desk(member(at), 'POST', '');
    times.push(await everywhere(made.secret, 200));
    await desk(member(at + 1), 'POST', `/${made.id}/revoke`);
    times.push(await everywhere(made.secret, 401));
  }
  t.comment(`${times.map(Math.round).join(', ')} ms`);
  // Most of them: a busy machine may lose a second of its own at any time.
  t.ok(times.filter((time) => time < 1000).length >= 4, 'within a second');
});

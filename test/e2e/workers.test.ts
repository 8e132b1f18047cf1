import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { LedgerEntry } from '../../src/accounting/ledger/entry.js';
import { eventually } from '../eventually.js';
import { missing } from '../servers/binaries.js';
import { startRedis } from '../servers/redis.js';
import { opened, type Received } from './client.js';
import { type Gateway, startGateway } from './harness.js';
import { startScripted, streamScript } from './scripted.js';

const skip = missing('redis');
const LIMITED = 'sk-e2e-limited-0123456789abcdef';
const CHAT = '/v1/chat/completions';
const LIMIT = 40;

t.test('two service processes behind one Envoy', { skip }, async (t) => {
  const redis = await startRedis();
  const provider = await startScripted();
  t.teardown(async () => {
    await provider.close();
    await redis.stop();
  });
  const config = {
    gateway: { workers: 2 },
    // A busy machine must not look like an outage.
    store: { kind: 'redis', url: redis.url, timeout: '5s' },
    providers: {
      p: { kind: 'openai-compatible', base_url: provider.baseUrl },
      second: { kind: 'openai-compatible', base_url: provider.baseUrl },
    },
    models: { pair: { targets: ['p/fails', 'second/serves'] } },
    keys: [
      { id: 'e2e', secret: 'sk-e2e-0123456789abcdefghijklmnop' },
      { id: 'limited', secret: LIMITED, labels: { team: 'limited' } },
    ],
    prices: [{ model: '*', input: 1, output: 2 }],
    limits: [
      { name: 'few', when: 'key.id == "limited"', requests: { max: LIMIT, window: 'total' } },
      { name: 'all', per: ['request.user'], tokens: { max: 1_000_000_000, window: 'total' } },
    ],
  };
  const gateway = await startGateway(t, { config });
  const ask = (model: string, key = gateway.key, user = 'ann') =>
    gateway.post(
      CHAT,
      { model, user, messages: [{ role: 'user', content: 'hello' }] },
      { authorization: `Bearer ${key}` },
    );
  let sent = 0;
  const askMany = async (count: number, model: string, key?: string): Promise<readonly Received[]> => {
    sent += count;
    return Promise.all(Array.from({ length: count }, () => ask(model, key)));
  };

  t.test('both serve, and one limit holds over both', async (t) => {
    const answers = await askMany(100, 'p/x', LIMITED);
    const statuses = answers.map(({ status }) => status);
    t.equal(statuses.filter((status) => status === 200).length, LIMIT, 'exactly as many as the limit lets pass');
    t.equal(statuses.filter((status) => status === 429).length, 100 - LIMIT);
    t.equal(busyBoots(gateway).length, 2, 'each process wrote a ledger of its own');
  });

  t.test('the later filters of a request find the process that has it', async (t) => {
    provider.on('fails', { status: 503 });
    const answers = await askMany(40, 'pair');
    t.ok(
      answers.every(({ status, headers }) => status === 200 && headers['x-tollgate-provider'] === 'second'),
      'attempt 2 was written by the process that knows the request',
    );
    t.equal(busyBoots(gateway).length, 2);
  });

  t.test('one page of metrics, records and limits of both', async (t) => {
    await gateway.settled();
    const page = await gateway.metrics();
    t.equal(requestsCounted(page), sent);
    const types = page.split('\n').filter((line) => line.startsWith('# TYPE '));
    t.equal(new Set(types).size, types.length, 'each metric is there once');
    await eventually('all are in the records', async () => {
      const rows = await gateway.usage('key');
      return rows.reduce((sum, row) => sum + Number(row['requests']), 0) === sent;
    });
    const limits = await gateway.limits();
    t.match(
      limits.find(({ limit }) => limit === 'few'),
      { used: LIMIT, held: 0 },
    );
    t.equal(limits.filter(({ limit }) => limit === 'all').length, 1, 'a counter that both used is one row');
    const events = await opened(`${gateway.adminUrl}/api/v1/events`, { method: 'GET' });
    await events.until(': live');
    const ids = (await askMany(12, 'p/x')).map(({ headers }) => headers['x-request-id'] ?? '');
    for (const id of ids) await events.until(`id: ${id}`);
    events.abort();
  });

  t.test('a new configuration is taken by both', async (t) => {
    gateway.configure({
      ...config,
      models: { ...config.models, fresh: { targets: ['added/x'] } },
      providers: {
        ...config.providers,
        added: { kind: 'openai-compatible', base_url: provider.baseUrl },
      },
    });
    const before = new Set(finals(gateway).map(({ id }) => id));
    await eventually('both know the new model', async () => {
      const answers = await askMany(16, 'fresh');
      const old = await askMany(4, 'p/x');
      t.ok(old.every(({ status }) => status === 200));
      t.ok(
        answers.every(({ status }) => status === 200 || status === 404),
        'a worker that knows the model finds its provider in Envoy',
      );
      return answers.every(({ status }) => status === 200);
    });
    await gateway.settled();
    const taken = finals(gateway).filter(
      (entry) => !before.has(entry.id) && entry.type === 'settle' && entry.model === 'fresh',
    );
    t.equal(new Set(taken.map((entry) => 'snapshot' in entry && entry.snapshot)).size, 1, 'one version');
  });

  t.test('a killed worker: its streams live, the other one serves, nothing is lost', async (t) => {
    provider.on('slow', { ...streamScript('slow', ['one ', 'two ']), hold: 2 });
    const streams = await Promise.all(Array.from({ length: 8 }, () => openStream(gateway)));
    await provider.held(streams.length);
    const victim = workerPid(gateway);
    const served: string[] = [];
    const others = new Set<number>();
    let running = true;
    const load = Array.from({ length: 6 }, async () => {
      while (running) {
        const { status, headers } = await ask('p/x');
        if (status === 200) served.push(headers['x-request-id'] ?? '');
        else others.add(status);
      }
    });
    process.kill(victim, 'SIGKILL');
    await eventually('the worker is dead', () => isDead(victim));
    const during = await askMany(30, 'p/x');
    t.same(
      during.filter(({ status }) => status !== 200).map(({ status }) => status),
      [],
      'the other worker takes the requests of the dead one',
    );
    provider.release();
    for (const stream of streams) {
      const { complete, text } = await stream.finished();
      t.ok(complete && text.includes('[DONE]'), 'a passed-on stream ends as it should');
    }
    await eventually('another worker', () => workerPid(gateway) !== victim);
    running = false;
    await Promise.all(load);
    t.ok(
      [...others].every((status) => status === 503),
      'what the dead one was deciding is a 503',
    );
    await gateway.ready();
    await gateway.settled();
    const entries = finals(gateway);
    const ids = new Set(entries.map(({ id }) => id));
    t.equal(ids.size, entries.length, 'one final entry for each request');
    for (const { headers } of [...during, ...streams]) t.ok(ids.has(headers['x-request-id'] ?? ''));
    t.same(
      served.filter((id) => !ids.has(id)),
      [],
      'every answer is in the books',
    );
    const costs = entries.reduce((sum, entry) => sum + ('cost_nano_usd' in entry ? (entry.cost_nano_usd ?? 0) : 0), 0);
    await eventually('the sums of the records are those of the ledger', async () => {
      const rows = await gateway.usage('key');
      const sum = (field: string): number => rows.reduce((total, row) => total + Number(row[field]), 0);
      return sum('requests') === entries.length && sum('cost_nano_usd') === costs;
    });
  });

  t.test('SIGHUP under load: both are replaced, no request fails', async (t) => {
    const before = [gateway.pid('service'), workerPid(gateway)];
    const counted = requestsCounted(await gateway.metrics());
    let running = true;
    const statuses: number[] = [];
    const load = Array.from({ length: 6 }, async () => {
      while (running) statuses.push((await ask('p/x')).status);
    });
    process.kill(gateway.pid('up'), 'SIGHUP');
    await eventually(
      'both are new',
      () => workerPid(gateway) !== before[1] && gateway.pid('service') !== before[0],
      30_000,
    );
    running = false;
    await Promise.all(load);
    t.same(
      statuses.filter((status) => status !== 200),
      [],
    );
    await gateway.ready();
    await gateway.settled();
    await eventually('the old processes are gone', () => before.every(isDead));
    t.equal(requestsCounted(await gateway.metrics()) - counted, statuses.length, 'what the old ones counted stays');
    t.equal((await gateway.command('ledger', 'verify')).code, 0);
  });

  t.test('a stop lets all workers finish', async (t) => {
    const streams = await Promise.all(Array.from({ length: 6 }, () => openStream(gateway)));
    await provider.held(streams.length);
    const pids = [gateway.pid('service'), workerPid(gateway)];
    const stopped = gateway.stop();
    provider.release();
    for (const stream of streams) t.ok((await stream.finished()).complete);
    await stopped;
    t.ok(pids.every(isDead));
    t.same(gateway.unsettled(), []);
    t.notOk(
      readdirSync(join(gateway.directory, 'run')).some((name) => /\.(sock|prom|pid)$/.test(name)),
      'nothing is left',
    );
  });
});

function openStream(gateway: Gateway): ReturnType<typeof opened> {
  return opened(gateway.url + CHAT, {
    headers: { authorization: `Bearer ${gateway.key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'p/slow', stream: true, messages: [{ role: 'user', content: 'hello' }] }),
  });
}

function workerPid(gateway: Gateway): number {
  return Number(readFileSync(join(gateway.directory, 'run', 'service-worker-1.pid'), 'utf8'));
}

/** A zombie counts as dead: its parent has not looked yet. */
function isDead(pid: number): boolean {
  try {
    return /^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return true;
  }
}

function finals(gateway: Gateway): readonly LedgerEntry[] {
  return gateway.ledger().filter(({ type }) => type !== 'hold');
}

/** Boots of the ledger that have entries. */
function busyBoots(gateway: Gateway): readonly string[] {
  const ledger = join(gateway.directory, 'data', 'ledger');
  return readdirSync(ledger).filter((name) => existsSync(join(ledger, name, '00000001.ledger')));
}

function requestsCounted(page: string): number {
  const lines = page.split('\n').filter((line) => line.startsWith('tollgate_requests_total{'));
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
}

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { exportedSegments } from '../../../src/accounting/export/exported-segments.js';
import { startExporters } from '../../../src/accounting/export/start-exporters.js';
import type { FileLedger } from '../../../src/accounting/ledger/open-ledger.js';
import { Secret } from '../../../src/observability/secret.js';
import { seededRandom } from '../../seeded-random.js';
import { testLedger } from '../samples.js';
import {
  Consumer,
  customer,
  ledgerTruth,
  place,
  rejected,
  settings,
  start,
  TIME,
  TIMING,
  write,
  written,
} from './exporting.js';
import { type Behaviour, type Receiver, startReceiver } from './receiver.js';

t.test('case 58: at least once, whatever the receiver does; known ids make it exactly once', async (t) => {
  const at = place(t);
  const random = seededRandom(7);
  const consumer = new Consumer();
  const receiver = await startReceiver(t, (request) => consumer.take(request));
  const troubles: readonly Behaviour[] = [
    'lost',
    'reset',
    'hang',
    { status: 500 },
    { status: 503, headers: { 'retry-after': '0' } },
    { status: 429, headers: { 'retry-after': '0' } },
    { status: 401 },
  ];
  // The first is told twice for certain.
  receiver.behave = () =>
    receiver.requests.length === 1
      ? 'lost'
      : random() < 0.5
        ? 'ok'
        : (troubles[Math.floor(random() * troubles.length)] ?? 'ok');
  // Two processes write at the same time; what one left open, the other ends in its own boot.
  const ledgers = [
    testLedger(at.ledgerDirectory, { segmentBytes: 4_000 }).ledger,
    testLedger(at.ledgerDirectory).ledger,
  ];
  await write(ledgers[0] as FileLedger, [customer('first')]);
  const impatient = { timing: { ...TIMING, timeoutMs: 300 } };
  let running = start(t, at, settings(receiver.url), impatient);
  for (let round = 0; round < 12; round += 1) {
    const ledger = ledgers[round % 2] as FileLedger;
    const entries = Array.from({ length: 11 }, (_, number) =>
      customer(`${round}-${number}`, { cost_nano_usd: round * 1000 + number }),
    );
    await write(ledger, entries);
    const seen = receiver.requests.length;
    await receiver.until(() => receiver.requests.length > seen || consumer.costs.size === 1 + (round + 1) * 11);
    if (round % 3 === 2) {
      await running.exporter.close();
      running = start(t, at, settings(receiver.url), impatient);
    }
  }
  for (const ledger of ledgers) await ledger.close();
  await receiver.until(() => consumer.costs.size === 133 && running.exporter.backlog().bytes_behind === 0);
  const truth = await ledgerTruth(at);
  t.same({ requests: consumer.costs.size, sum: consumer.sum }, truth);
  t.equal(truth.requests, 133);
  t.ok(consumer.times > truth.requests, `${consumer.times} deliveries of ${truth.requests} requests`);
  t.match(running.exporter.backlog(), { rejected: 0, bytes_behind: 0, oldest_unsent_ms: 0 });
  await receiver.until(() => running.exporter.backlog().last_error === null);
  await running.exporter.close();
  const isExported = exportedSegments({ ...at, dataDirectory: at.data, names: ['hook'] });
  const segments = readdirSync(at.ledgerDirectory, { recursive: true })
    .map(String)
    .filter((name) => name.endsWith('.ledger'));
  t.ok(segments.length > 2);
  t.ok(segments.every(isExported));
  t.notOk(segments.some(exportedSegments({ ...at, dataDirectory: at.data, names: ['hook', 'new'] })));
});

t.test('kill -9 at any moment', async (t) => {
  const at = place(t);
  const random = seededRandom(11);
  const consumer = new Consumer();
  const receiver = await startReceiver(t, (request) => consumer.take(request));
  receiver.behave = () => (random() < 0.1 ? 'lost' : 'ok');
  const { ledger } = testLedger(at.ledgerDirectory, { segmentBytes: 20_000 });
  const child = fileURLToPath(new URL('exporting-child.js', import.meta.url));
  for (let round = 0; round < 6; round += 1) {
    await write(
      ledger,
      Array.from({ length: 40 }, (_, number) => customer(`${round}-${number}`, { cost_nano_usd: number })),
    );
    const process_ = spawn(process.execPath, [child, at.data, receiver.url, '3'], { stdio: 'ignore' });
    const ended = once(process_, 'exit');
    const enough = receiver.requests.length + 1 + Math.floor(random() * 14);
    await receiver.until(() => receiver.requests.length >= enough || consumer.costs.size === (round + 1) * 40);
    process_.kill('SIGKILL');
    await ended;
  }
  await ledger.close();
  const { exporter } = start(t, at, settings(receiver.url, { customer: 'key' }));
  await receiver.until(() => consumer.costs.size === 240 && exporter.backlog().bytes_behind === 0);
  t.same({ requests: consumer.costs.size, sum: consumer.sum }, await ledgerTruth(at));
});

t.test('case 58: the backlog is visible', async (t) => {
  const at = place(t);
  const receiver = await startReceiver(t);
  receiver.behave = () => ({ status: 500, body: 'no disk' });
  await written(t, at, [customer('a'), customer('b'), customer('c', { type: 'refusal' })]);
  const { exporter, problems } = start(t, at, settings(receiver.url), { now: () => Date.parse(TIME) + 60_012 });
  await receiver.until(() => exporter.backlog().last_error !== null && receiver.requests.length > 2);
  t.match(exporter.backlog(), {
    name: 'hook',
    kind: 'webhook',
    entries_behind: 3,
    oldest_unsent_ms: 60_000,
    sent: 0,
    last_error: 'answered 500: no disk',
  });
  t.ok(exporter.backlog().bytes_behind > 500);
  receiver.behave = () => 'ok';
  await receiver.until(() => exporter.backlog().bytes_behind === 0 && exporter.backlog().last_error === null);
  t.match(exporter.backlog(), { sent: 3, bytes_behind: 0, oldest_unsent_ms: 0 });
  t.same(problems, ['answered 500: no disk', null], 'told once each');
});

t.test('what can never succeed is put aside, the rest goes on', async (t) => {
  const at = place(t);
  const consumer = new Consumer();
  const receiver = await startReceiver(t, (request) => consumer.take(request));
  receiver.behave = ({ body }) => (/"id":"bad-\d"/.test(body) ? { status: 422, body: 'bad event' } : 'ok');
  const ids = ['a', 'b', 'bad-1', 'c', 'd', 'bad-2', 'e'];
  await written(
    t,
    at,
    ids.map((id) => customer(id)),
  );
  const { exporter } = start(t, at, settings(receiver.url));
  await receiver.until(() => exporter.backlog().sent === 5 && exporter.backlog().bytes_behind === 0);
  t.same([...consumer.costs.keys()], ['a', 'b', 'c', 'd', 'e']);
  t.match(rejected(at), [
    { id: 'bad-1', reason: 'answered 422: bad event', customer: 'acme', entry: { id: 'bad-1' } },
    { id: 'bad-2' },
  ]);
  t.equal(exporter.backlog().rejected, 2);
  t.equal(exporter.backlog().last_error, null);
});

t.test('a state that cannot be read stops it', async (t) => {
  const at = place(t);
  const receiver = await startReceiver(t);
  await written(t, at, [customer('a')]);
  mkdirSync(join(at.data, 'exports'), { recursive: true });
  writeFileSync(join(at.data, 'exports', 'hook.json'), '{"version":');
  const { exporter } = start(t, at, settings(receiver.url));
  await receiver.until(() => exporter.backlog().last_error !== null);
  t.match(exporter.backlog().last_error, /cannot be read; delete it to send everything again/);
  t.equal(receiver.requests.length, 0);
});

t.test('the thread: one process exports, another takes over, a new configuration is used', async (t) => {
  const at = place(t);
  const consumer = new Consumer();
  const receiver: Receiver = await startReceiver(t, (request) => consumer.take(request));
  const { ledger } = testLedger(at.ledgerDirectory);
  await write(ledger, [customer('a')]);
  const exporter = {
    name: 'hook',
    kind: 'webhook',
    url: receiver.url,
    secret: new Secret('hush-hush-hush-hush'),
    batch: 10,
    customer: 'key',
  } as const;
  const problems: string[] = [];
  const counts: [string, number][] = [];
  const make = () =>
    startExporters({
      ledgerDirectory: at.ledgerDirectory,
      dataDirectory: at.data,
      exporters: [exporter],
      timing: TIMING,
      onProblem: (message) => problems.push(message),
      onEvents: (outcome, count) => counts.push([outcome, count]),
    });
  const first = make();
  await receiver.until(() => consumer.costs.size === 1);
  t.match(receiver.requests[0]?.headers['x-tollgate-signature'], /^t=\d+,v1=[0-9a-f]{64}$/);
  const second = make();
  t.same(second.backlog(), [], 'waits');
  first.use([{ ...exporter, url: `${receiver.url}/2` }]);
  await write(ledger, [customer('b')]);
  await receiver.until(() => consumer.costs.size === 2 && (first.backlog()[0]?.sent ?? 0) === 2);
  await first.close();
  await write(ledger, [customer('c')]);
  await ledger.close();
  await receiver.until(() => consumer.costs.size === 3);
  t.equal(consumer.times, 3, 'nobody told anything twice');
  await second.close();
  t.same(problems, []);
  t.equal(
    counts.filter(([outcome]) => outcome === 'sent').reduce((sum, [, count]) => sum + count, 0),
    3,
  );
});

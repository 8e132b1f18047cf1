import { spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import type { ExportSettings } from '../../../src/accounting/export/destination.js';
import { createDestination } from '../../../src/accounting/export/destinations.js';
import { exportedSegments } from '../../../src/accounting/export/exported-segments.js';
import { LedgerExporter } from '../../../src/accounting/export/ledger-exporter.js';
import { startExporters } from '../../../src/accounting/export/start-exporters.js';
import type { FinalEntry } from '../../../src/accounting/ledger/entry.js';
import type { FileLedger } from '../../../src/accounting/ledger/open-ledger.js';
import { ledgerEntries } from '../../../src/accounting/reports/entry-source.js';
import { Secret } from '../../../src/observability/secret.js';
import { seededRandom } from '../../seeded-random.js';
import { final, held, hold, temporaryDirectory, testLedger } from '../samples.js';
import { type Behaviour, type Received, type Receiver, startReceiver } from './receiver.js';

const TIMING = { pollMs: 5, timeoutMs: 300, firstMs: 2, mostMs: 20 };
const TIME = '2026-11-21T12:00:00.000Z';

function settings(url: string, changes: Partial<ExportSettings> = {}): ExportSettings {
  return { name: 'hook', kind: 'webhook', url, secret: null, batch: 10, customer: 'key.labels.customer', ...changes };
}

interface Place {
  readonly data: string;
  readonly ledgerDirectory: string;
}

function place(t: Test): Place {
  const data = temporaryDirectory(t);
  return { data, ledgerDirectory: join(data, 'ledger') };
}

interface Started {
  readonly exporter: LedgerExporter;
  readonly problems: (string | null)[];
}

function start(t: Test, { data, ledgerDirectory }: Place, of: ExportSettings, now = Date.now): Started {
  const problems: (string | null)[] = [];
  const exporter = new LedgerExporter({
    settings: of,
    ledgerDirectory,
    directory: join(data, 'exports'),
    fetch,
    now,
    random: Math.random,
    timing: TIMING,
    onProblem: (message) => problems.push(message),
    onEvents: () => undefined,
  });
  t.teardown(() => exporter.close());
  return { exporter, problems };
}

function customer(id: string, changes: Partial<FinalEntry> = {}): FinalEntry {
  return final(id, { time: TIME, labels: { customer: 'acme' }, ...changes });
}

/** Writes a hold and a final entry for each. */
async function write(ledger: FileLedger, entries: readonly FinalEntry[]): Promise<void> {
  for (const entry of entries) {
    if (entry.type !== 'refusal') await held(ledger, hold(entry.id));
    ledger.finish(entry);
  }
  await ledger.synced();
}

async function written(t: Test, at: Place, entries: readonly FinalEntry[]): Promise<void> {
  const { ledger } = testLedger(at.ledgerDirectory);
  await write(ledger, entries);
  await ledger.close();
  t.ok(existsSync(at.ledgerDirectory));
}

function rejected({ data }: Place): { id: string; reason: string }[] {
  const path = join(data, 'exports', 'hook.rejected.jsonl');
  if (!existsSync(path)) return [];
  return readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

/** What a consumer that knows ids has at the end. */
class Consumer {
  readonly costs = new Map<string, number>();
  times = 0;

  take({ body }: Received): void {
    for (const event of JSON.parse(body).events) {
      this.times += 1;
      if (!this.costs.has(event.id)) this.costs.set(event.id, event.cost_nano_usd ?? 0);
    }
  }

  get sum(): number {
    return [...this.costs.values()].reduce((sum, cost) => sum + cost, 0);
  }
}

async function ledgerTruth({ ledgerDirectory }: Place): Promise<{ requests: number; sum: number }> {
  let [requests, sum] = [0, 0];
  await ledgerEntries(ledgerDirectory).eachEntry({}, (entry) => {
    requests += 1;
    sum += entry.cost_nano_usd ?? 0;
  });
  return { requests, sum };
}

t.test('what each kind of receiver is sent', async (t) => {
  const entry = customer('r-1', { usage: { input: 100, output: 20, reasoning: 0 }, user: 'u' });
  const now = Date.UTC(2026, 10, 21, 13);
  const requestOf = (kind: ExportSettings['kind']) => {
    const destination = createDestination(settings('http://x', { kind, secret: 'hush-hush' }));
    const events = destination.eventsOf(entry, 'acme');
    if (events === 'no customer') throw new Error('it has one');
    return { events, ...destination.request(events, now), destination };
  };
  const hook = requestOf('webhook');
  t.same(JSON.parse(hook.body), { exporter: 'hook', events: [{ ...entry, customer: 'acme' }] });
  const mac = createHmac('sha256', 'hush-hush')
    .update(`${now / 1000}.${hook.body}`)
    .digest('hex');
  t.same(hook.headers['x-tollgate-signature'], `t=${now / 1000},v1=${mac}`);
  const cloud = requestOf('openmeter');
  t.match(cloud.headers, {
    'content-type': 'application/cloudevents-batch+json',
    authorization: 'Bearer hush-hush',
  });
  t.match(JSON.parse(cloud.body), [
    {
      specversion: '1.0',
      id: 'r-1',
      source: 'tollgate',
      type: 'tollgate.request',
      subject: 'acme',
      time: TIME,
      data: { model: 'smart', input: 100, output: 20, cost_nano_usd: 325_000, label_customer: 'acme' },
    },
  ]);
  t.match(JSON.parse(requestOf('lago').body), {
    events: [
      {
        transaction_id: 'r-1',
        external_subscription_id: 'acme',
        code: 'tollgate_request',
        timestamp: Date.parse(TIME) / 1000,
        properties: { input: 100 },
      },
    ],
  });
  const stripe = requestOf('stripe');
  t.same(
    stripe.events.map(({ id, value }) => [id, value]),
    [
      ['r-1:input', 100],
      ['r-1:output', 20],
      ['r-1:cost_nano_usd', 325_000],
    ],
  );
  t.equal(
    stripe.body,
    `event_name=tollgate_input&identifier=r-1%3Ainput&timestamp=${Date.parse(TIME) / 1000}&payload%5Bstripe_customer_id%5D=acme&payload%5Bvalue%5D=100`,
  );
  for (const kind of ['openmeter', 'lago', 'stripe'] as const) {
    const { destination } = requestOf(kind);
    t.same(destination.eventsOf({ ...entry, type: 'refusal' }, 'acme'), []);
    t.same(destination.eventsOf({ ...entry, type: 'void' }, ''), []);
    t.equal(destination.eventsOf(entry, ''), 'no customer');
    const unpriced = destination.eventsOf({ ...entry, cost_nano_usd: null }, 'acme');
    t.notMatch(JSON.stringify(unpriced === 'no customer' ? [] : destination.request(unpriced, now)), /cost_nano_usd/);
  }
});

t.test('at least once, whatever the receiver does; known ids make it exactly once', async (t) => {
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
  let running = start(t, at, settings(receiver.url));
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
      running = start(t, at, settings(receiver.url));
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

t.test('the backlog is visible', async (t) => {
  const at = place(t);
  const receiver = await startReceiver(t);
  receiver.behave = () => ({ status: 500, body: 'no disk' });
  await written(t, at, [customer('a'), customer('b'), customer('c', { type: 'refusal' })]);
  const { exporter, problems } = start(t, at, settings(receiver.url), () => Date.parse(TIME) + 60_012);
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

t.test('Lago: a batch with events that it has, or does not like', async (t) => {
  const at = place(t);
  const has = new Set(['a']);
  const receiver = await startReceiver(t, ({ body }) => {
    for (const event of JSON.parse(body).events) has.add(event.transaction_id);
  });
  receiver.behave = ({ body }) => {
    const events: { transaction_id: string }[] = JSON.parse(body).events;
    const details: Record<string, object> = {};
    events.forEach(({ transaction_id: id }, place) => {
      if (id.startsWith('bad')) details[place] = { external_subscription_id: ['not_found'] };
      else if (has.has(id)) details[place] = { transaction_id: ['value_already_exist'] };
    });
    if (Object.keys(details).length === 0) return 'ok';
    return { status: 422, body: JSON.stringify({ status: 422, error_details: details }) };
  };
  await written(t, at, [
    customer('a'),
    customer('b'),
    customer('bad'),
    customer('c'),
    customer('nobody', { labels: {} }),
  ]);
  const { exporter } = start(t, at, settings(receiver.url, { kind: 'lago' }));
  await receiver.until(() => exporter.backlog().sent === 3 && exporter.backlog().bytes_behind === 0);
  t.same([...has].sort(), ['a', 'b', 'c']);
  t.match(rejected(at), [{ id: 'bad', reason: '{"external_subscription_id":["not_found"]}' }]);
  t.match(exporter.backlog(), { rejected: 1, without_customer: 1 });
  t.equal(receiver.requests.length, 2, 'the others are sent again at once');
});

t.test('Stripe: known identifiers are fine; forgotten ones are not sent twice', async (t) => {
  const at = place(t);
  const meters = new Map<string, number>();
  let clock = Date.parse(TIME);
  const identifier = ({ body }: Received) => new URLSearchParams(body).get('identifier') ?? '';
  const receiver = await startReceiver(t, (request) => {
    meters.set(identifier(request), Number(new URLSearchParams(request.body).get('payload[value]')));
  });
  const known: Behaviour = { status: 400, body: '{"error":{"message":"An event already exists with identifier x"}}' };
  receiver.behave = (request) =>
    meters.has(identifier(request)) ? known : request.body.includes('output') ? 'lost' : 'ok';
  await written(t, at, [customer('a'), customer('b')]);
  const of = settings(receiver.url, { kind: 'stripe' });
  const first = start(t, at, of, () => clock);
  await receiver.until(() => first.exporter.backlog().sent === 6 && first.exporter.backlog().bytes_behind === 0);
  t.match([...meters].sort(), [
    ['a:cost_nano_usd', 325_000],
    ['a:input', 100],
    ['a:output', 20],
    ['b:cost_nano_usd', 325_000],
  ]);
  t.equal(rejected(at).length, 0);
  await first.exporter.close();
  // Nobody knows whether these were taken; a day later Stripe would take them again.
  receiver.behave = () => 'lost';
  await written(t, at, [customer('c', { usage: { input: 7 }, cost_nano_usd: null })]);
  const second = start(t, at, of, () => clock);
  await receiver.until(() => second.exporter.backlog().last_error !== null);
  await second.exporter.close();
  clock += 25 * 3_600_000;
  receiver.behave = () => 'ok';
  const asked = receiver.requests.length;
  await written(t, at, [customer('d', { usage: { input: 8 }, cost_nano_usd: null })]);
  const third = start(t, at, of, () => clock);
  await receiver.until(() => third.exporter.backlog().sent === 7 && third.exporter.backlog().bytes_behind === 0);
  t.match(rejected(at), [{ id: 'c:input', reason: /may have been taken/ }]);
  t.same(receiver.requests.slice(asked).map(identifier), ['d:input']);
});

t.test('a receiver that refused the connection for days loses nothing', async (t) => {
  const at = place(t);
  const receiver = await startReceiver(t);
  receiver.behave = () => ({ status: 429 });
  await written(t, at, [customer('a', { usage: { input: 7 }, cost_nano_usd: null })]);
  let clock = Date.parse(TIME);
  const { exporter } = start(t, at, settings(receiver.url, { kind: 'stripe' }), () => clock);
  await receiver.until(() => receiver.requests.length > 1);
  clock += 48 * 3_600_000;
  receiver.behave = () => 'ok';
  await receiver.until(() => exporter.backlog().sent === 1);
  t.same(rejected(at), []);
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

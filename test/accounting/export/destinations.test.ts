import { createHmac } from 'node:crypto';
import t from 'tap';
import type { ExportSettings } from '../../../src/accounting/export/destination.js';
import { createDestination } from '../../../src/accounting/export/destinations.js';
import { customer, place, rejected, settings, start, TIME, written } from './exporting.js';
import { type Behaviour, type Received, startReceiver } from './receiver.js';

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

t.test('case 58: Stripe: known identifiers are fine; forgotten ones are not sent twice', async (t) => {
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
  const first = start(t, at, of, { now: () => clock });
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
  const second = start(t, at, of, { now: () => clock });
  await receiver.until(() => second.exporter.backlog().last_error !== null);
  await second.exporter.close();
  clock += 25 * 3_600_000;
  receiver.behave = () => 'ok';
  const asked = receiver.requests.length;
  await written(t, at, [customer('d', { usage: { input: 8 }, cost_nano_usd: null })]);
  const third = start(t, at, of, { now: () => clock });
  await receiver.until(() => third.exporter.backlog().sent === 7 && third.exporter.backlog().bytes_behind === 0);
  t.match(rejected(at), [{ id: 'c:input', reason: /may have been taken/ }]);
  t.same(receiver.requests.slice(asked).map(identifier), ['d:input']);
});

t.test('case 58: a receiver that refused the connection for days loses nothing', async (t) => {
  const at = place(t);
  const receiver = await startReceiver(t);
  receiver.behave = () => ({ status: 429 });
  await written(t, at, [customer('a', { usage: { input: 7 }, cost_nano_usd: null })]);
  let clock = Date.parse(TIME);
  const { exporter } = start(t, at, settings(receiver.url, { kind: 'stripe' }), { now: () => clock });
  await receiver.until(() => receiver.requests.length > 1);
  clock += 48 * 3_600_000;
  receiver.behave = () => 'ok';
  await receiver.until(() => exporter.backlog().sent === 1);
  t.same(rejected(at), []);
});

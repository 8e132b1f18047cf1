import { createServer, type IncomingHttpHeaders } from 'node:http';
import { text } from 'node:stream/consumers';
import t from 'tap';
import { signatureOf } from '../../src/accounting/signature.js';
import { listen, shut } from '../../src/mock/listen.js';
import { generateKey } from '../../src/policy/keys/key-format.js';
import { eventually } from '../eventually.js';
import { exchange } from './client.js';
import { startGateway } from './harness.js';
import { startScripted, streamScript } from './scripted.js';

interface Told {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

const LEAKED = generateKey().text;
const told: Told[] = [];
const receiver = createServer(async (request, response) => {
  told.push({ path: request.url ?? '', headers: request.headers, body: await text(request) });
  response.end();
});
const { port } = await listen(receiver, { host: '127.0.0.1', port: 0 });
t.teardown(() => shut(receiver));
const provider = await startScripted();
t.teardown(() => provider.close());
const SECRET = 'a-shared-secret-of-webhooks';
const gateway = await startGateway(t, {
  config: {
    providers: { p: { kind: 'openai-compatible', base_url: provider.baseUrl } },
    prices: [{ model: 'p/x', input: 0, output: 0, request: 1 }],
    limits: [
      { name: 'budget', when: 'request.model == "p/x"', cost: { max: 10, window: 'month' }, alert_at: [0.5, 1] },
    ],
    records: { content: true },
    billing: { customer: 'key.id', plans: [{ name: 'all', currency: 'USD', markup: '50%' }] },
    exporters: { meter: { kind: 'webhook', url: `http://127.0.0.1:${port}/meter`, secret: SECRET } },
    alerts: { webhook: `http://127.0.0.1:${port}/alerts`, secret: SECRET },
  },
});

const ask = (model: string, stream = false) =>
  gateway.post('/v1/chat/completions', {
    model,
    stream,
    messages: [{ role: 'user', content: `tell me of ${LEAKED}` }],
  });
const bodies = (path: string) => told.filter((each) => each.path === path).map(({ body }) => JSON.parse(body));

function isSigned({ headers, body }: Told): boolean {
  const signature = String(headers['x-tollgate-signature']);
  const seconds = Number(/^t=(\d+),/.exec(signature)?.[1]);
  return signature === signatureOf(body, SECRET, seconds);
}

t.test('a limit tells before it is used up, and when it is', async (t) => {
  for (let number = 0; number < 11; number += 1) await ask('p/x');
  await eventually('two alerts', () => bodies('/alerts').length >= 2);
  const alerts = bodies('/alerts') as { kind: string; details: { limit: string; share: number } }[];
  t.match(alerts[0], { kind: 'limit_threshold' });
  t.match(JSON.stringify(alerts), /budget/);
  t.ok(told.filter(({ path }) => path === '/alerts').every(isSigned), 'signed');
  t.equal(alerts.length, 2, 'each share once');
});

t.test('an unknown price is told once', async (t) => {
  await ask('p/unknown');
  await ask('p/unknown');
  await eventually('the alert', () => JSON.stringify(bodies('/alerts')).includes('p/unknown'));
  t.equal(bodies('/alerts').filter((alert) => JSON.stringify(alert).includes('p/unknown')).length, 1);
});

t.test('every finished request is exported once, and can be invoiced', async (t) => {
  const finals = () => gateway.ledger().filter((entry) => entry.type !== 'hold');
  const events = () => (bodies('/meter') as { events: { id: string }[] }[]).flatMap((batch) => batch.events);
  await eventually('all events', () => events().length >= finals().length);
  t.same(
    events()
      .map(({ id }) => id)
      .sort(),
    finals()
      .map(({ id }) => id)
      .sort(),
  );
  t.ok(told.filter(({ path }) => path === '/meter').every(isSigned));
  const from = new Date().toISOString().slice(0, 8);
  const { text: invoices } = await exchange(
    `${gateway.adminUrl}/api/v1/invoices?customer=e2e&from=${from}01T00:00:00Z&to=2099-01-01T00:00:00Z`,
    { method: 'GET' },
  );
  t.match(invoices, /"15\.00"/, 'ten dollars of cost and half of it on top');
  const { text: exporters } = await exchange(`${gateway.adminUrl}/api/v1/exporters`, { method: 'GET' });
  t.match(JSON.parse(exporters), { data: [{ name: 'meter', rejected: 0, last_error: null }] });
});

t.test('prompts and answers are kept apart, without keys in them', async (t) => {
  provider.on('words', () => streamScript('words', ['good ', 'morning']));
  const answer = await ask('p/words', true);
  const id = answer.headers['x-request-id'] ?? '';
  const url = `${gateway.adminUrl}/api/v1/requests/${id}`;
  await eventually('the content', async () => (await exchange(`${url}/content`, { method: 'GET' })).status === 200);
  const content = JSON.parse((await exchange(`${url}/content`, { method: 'GET' })).text) as Record<string, string>;
  t.match(content['request'], /tell me/);
  t.notMatch(content['request'], LEAKED);
  t.match(content['response'], /good .*morning/s);
  t.notMatch((await exchange(url, { method: 'GET' })).text, /tell me|morning/, 'not in the record');
  t.notMatch(JSON.stringify(gateway.ledger()), /tell me|morning/, 'not in the ledger');
});

/** What nobody answered costs nothing, and what a client left behind does: told by the service, and by recovery after a crash. */
import t from 'tap';
import type { FinalEntry } from '../../src/accounting/ledger/entry.js';
import { exchange } from '../e2e/client.js';
import { type Gateway, startGateway } from '../e2e/harness.js';
import { refusingUrl, type Scripted, startScripted } from '../e2e/scripted.js';

const CHAT = '/v1/chat/completions';

let gateway: Gateway;
let provider: Scripted;

t.before(async () => {
  provider = await startScripted();
  t.teardown(() => provider.close());
  provider.on('silent', { instead: 'hang' });
  provider.on('resetting', { instead: 'reset' });
  const kind = 'openai-compatible';
  const retry = { attempts: 2, response: '400ms' };
  gateway = await startGateway(t, {
    config: {
      providers: {
        p: { kind, base_url: provider.baseUrl },
        q: { kind, base_url: provider.baseUrl },
        refusing: { kind, base_url: await refusingUrl() },
      },
      models: {
        silent: { targets: ['p/silent', 'q/silent'], retry },
        resetting: { targets: ['p/resetting', 'q/resetting'], retry },
        refusing: { targets: ['refusing/x'], retry },
        mixed: { targets: ['refusing/x', 'q/resetting'], retry },
        left: { targets: ['p/silent'], retry: { attempts: 1, response: '60s' } },
      },
    },
  });
});

/** Final entries of one model, as soon as there are so many. */
async function finals(model: string, count: number): Promise<FinalEntry[]> {
  const found = () =>
    gateway.ledger().filter((entry): entry is FinalEntry => entry.type !== 'hold' && entry.model === model);
  for (let tries = 0; tries < 300 && found().length < count; tries += 1) await gateway.metrics().catch(() => '');
  return found();
}

const ask = (model: string) => gateway.post(CHAT, { model, messages: [{ role: 'user', content: 'hello' }] });

const NOTHING = { type: 'void', cost_nano_usd: 0, usage: {}, usage_source: null, target: null };
const ESTIMATED = {
  type: 'estimate',
  status: 499,
  code: 'client_closed',
  usage_source: 'estimated',
  target: 'p/silent',
};

/** Sends a request, and leaves when the provider has it. */
async function leave(model: string, before: () => Promise<void> = async () => {}): Promise<void> {
  const aborting = new AbortController();
  const seen = provider.captures.length;
  const gone = exchange(gateway.url + CHAT, {
    headers: { authorization: `Bearer ${gateway.key}` },
    body: JSON.stringify({ model, messages: [{ role: 'user', content: 'hello' }] }),
    signal: aborting.signal,
  });
  await provider.received(seen + 1);
  await before();
  aborting.abort();
  await gone.catch(() => null);
}

t.test('told by the service', async (t) => {
  for (const [model, status] of [
    ['silent', 504],
    ['resetting', 503],
    ['refusing', 503],
    ['mixed', 503],
  ] as const) {
    const answer = await ask(model);
    t.equal(answer.status, status, model);
    const [entry] = await finals(model, 1);
    t.match(entry, { ...NOTHING, status }, model);
  }
  await leave('left');
  const [entry] = await finals('left', 1);
  t.match(entry, ESTIMATED);
  t.ok((entry?.usage.input ?? 0) > 0 && (entry?.cost_nano_usd ?? 0) > 0, 'the prompt is paid');
});

t.test('told by recovery, when the service has died meanwhile', async (t) => {
  const seen = provider.captures.length;
  const silent = ask('silent');
  await provider.received(seen + 1);
  gateway.kill('service', 'SIGKILL');
  t.ok([503, 504].includes((await silent).status));
  await gateway.ready();
  const [, entry] = await finals('silent', 2);
  t.match(entry, NOTHING);

  const pid = gateway.pid('service');
  await leave('left', async () => {
    gateway.kill('service', 'SIGKILL');
    while (gateway.pid('service') === pid) await gateway.metrics().catch(() => '');
  });
  await gateway.ready();
  const [, left] = await finals('left', 2);
  t.match(left, ESTIMATED);
  t.ok((left?.usage.input ?? 0) > 0 && (left?.cost_nano_usd ?? 0) > 0, 'the prompt is paid');
  t.same(gateway.unsettled(), []);
});

import { Agent } from 'node:http';
import t from 'tap';
import { type Gateway, startGateway, type TestContext } from '../e2e/harness.js';
import { type Scripted, startScripted, streamScript } from '../e2e/scripted.js';
import { ask, count, DOLLAR_EACH, drain, openStream, spent } from './dollars.js';

/** Dollars, and requests that cost one each. */
const BUDGET = 100;
const ASKED = 1000;
const WORDS = ['one ', 'two ', 'three '];

interface Stage {
  readonly provider: Scripted;
  readonly gateway: Gateway;
}

/** Every answer costs exactly a dollar; models in `twice` have a second target. */
function configFor(provider: Scripted, more: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    providers: {
      p: { kind: 'openai-compatible', base_url: provider.baseUrl },
      q: { kind: 'openai-compatible', base_url: provider.baseUrl },
    },
    models: { twice: { targets: ['p/bad', 'q/good'], retry_budget: 'off' } },
    prices: DOLLAR_EACH,
    limits: [{ name: 'budget', cost: { max: BUDGET, window: 'total' } }],
    ...more,
  };
}

async function stageFor(t: TestContext, more: Readonly<Record<string, unknown>> = {}): Promise<Stage> {
  const provider = await startScripted();
  t.teardown(() => provider.close());
  return { provider, gateway: await startGateway(t, { config: configFor(provider, more) }) };
}

t.test(`case 61: ${ASKED} at once against a budget of ${BUDGET}`, async (t) => {
  const { provider, gateway } = await stageFor(t);
  const agent = new Agent({ keepAlive: true, maxSockets: 200 });
  t.teardown(() => agent.destroy());
  const answers = await Promise.all(
    Array.from({ length: ASKED }, () => ask(gateway, { key: gateway.key, model: 'p/x', agent })),
  );
  t.same(count(answers), { 200: BUDGET, 429: ASKED - BUDGET });
  t.equal(provider.captures.length, BUDGET, 'exactly so many reach the provider');
  const refused = answers.find((answer) => answer.status === 429);
  t.match(JSON.parse(refused?.text ?? '{}'), { error: { code: 'insufficient_quota', message: /budget/ } });
  t.equal(refused?.headers['x-should-retry'], 'false');
  await gateway.idle();
  t.equal(spent([gateway], 'e2e'), BUDGET);
});

t.test('streams, clients that leave, and targets that fail, all against one budget', async (t) => {
  const { provider, gateway } = await stageFor(t);
  const agent = new Agent({ keepAlive: true, maxSockets: 100 });
  t.teardown(() => agent.destroy());
  provider.on('stream', () => streamScript('stream', WORDS));
  provider.on('left', () => ({ ...streamScript('left', WORDS), hold: 2 }));
  provider.on('broken', () => ({ status: 500, chunks: ['{"error":{"message":"no"}}'] }));
  provider.on('bad', () => ({ status: 503 }));
  const leave = async (): Promise<{ status: number }> => {
    const answer = await openStream(gateway, { key: gateway.key, model: 'p/left' });
    if (answer.status === 200) {
      await answer.until('one ');
      answer.abort();
    } else await answer.finished();
    return { status: answer.status };
  };
  const kinds = [
    async () => (await openStream(gateway, { key: gateway.key, model: 'p/stream' })).finished(),
    leave,
    () => ask(gateway, { key: gateway.key, model: 'p/broken', agent }),
    () => ask(gateway, { key: gateway.key, model: 'twice', agent }),
  ];
  const answers = await Promise.all(Array.from({ length: 400 }, (_, at) => (kinds[at % kinds.length] ?? leave)()));
  const counted = count(answers);
  t.ok((counted[200] ?? 0) <= BUDGET, 'never above the budget while all run at once');
  await gateway.idle();
  // What failed has been given back; what was cut has been paid.
  await drain(gateway, { key: gateway.key, model: 'p/x', agent });
  await gateway.idle();
  t.equal(spent([gateway], 'e2e'), BUDGET, 'the whole budget can be used, to the last dollar and no further');
  t.same(gateway.unsettled(), []);
});

t.test('the service is killed in the middle', async (t) => {
  const { provider, gateway } = await stageFor(t);
  const agent = new Agent({ keepAlive: true, maxSockets: 100 });
  t.teardown(() => agent.destroy());
  provider.on('long', () => ({ ...streamScript('long', WORDS), hold: 2 }));
  const before = await Promise.all(
    Array.from({ length: 30 }, () => ask(gateway, { key: gateway.key, model: 'p/x', agent })),
  );
  t.same(count(before), { 200: 30 });
  const streams = await Promise.all(
    Array.from({ length: 20 }, () => openStream(gateway, { key: gateway.key, model: 'p/long' })),
  );
  await provider.held(20);
  const killed = gateway.pid('service');
  gateway.kill('service', 'SIGKILL');
  await gateway.replaced(killed);
  // Thirty are spent and twenty are held, although nobody remembers them but the ledger.
  const answers = await Promise.all(
    Array.from({ length: 200 }, () => ask(gateway, { key: gateway.key, model: 'p/x', agent })),
  );
  t.same(count(answers), { 200: BUDGET - 50, 429: 150 });
  provider.release();
  for (const stream of streams) t.ok((await stream.finished()).complete, 'a stream outlives its service');
  await gateway.settled();
  await drain(gateway, { key: gateway.key, model: 'p/x', agent });
  await gateway.idle();
  t.equal(spent([gateway], 'e2e'), BUDGET);
  t.same(gateway.unsettled(), [], 'nothing is stuck');
});

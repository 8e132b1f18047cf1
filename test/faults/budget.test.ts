import { Agent } from 'node:http';
import t from 'tap';
import { exchange, opened, type Received } from '../e2e/client.js';
import { type Gateway, startGateway, type TestContext } from '../e2e/harness.js';
import { type Scripted, startScripted, streamScript } from '../e2e/scripted.js';

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
    prices: [{ model: '*', input: 0, output: 0, request: 1 }],
    limits: [{ name: 'budget', cost: { max: BUDGET, window: 'total' } }],
    ...more,
  };
}

async function stageFor(t: TestContext, more: Readonly<Record<string, unknown>> = {}): Promise<Stage> {
  const provider = await startScripted();
  t.teardown(() => provider.close());
  return { provider, gateway: await startGateway(t, { config: configFor(provider, more) }) };
}

function bodyOf(model: string, stream = false): string {
  return JSON.stringify({ model, stream, messages: [{ role: 'user', content: 'hello' }] });
}

function ask(gateway: Gateway, agent: Agent, body: string): Promise<Received> {
  return exchange(`${gateway.url}/v1/chat/completions`, {
    headers: { authorization: `Bearer ${gateway.key}` },
    body,
    agent,
  });
}

/** Asks until the budget says no, so that whatever was given back is used up. */
async function drain(gateway: Gateway, agent: Agent, body: string): Promise<void> {
  for (let status = 200; status === 200; ) status = (await ask(gateway, agent, body)).status;
}

function count(answers: readonly { readonly status: number }[]): Record<number, number> {
  const counted: Record<number, number> = {};
  for (const { status } of answers) counted[status] = (counted[status] ?? 0) + 1;
  return counted;
}

/** Dollars in the ledger. */
function spent(gateway: Gateway): number {
  let nano = 0;
  for (const entry of gateway.ledger()) if (entry.type !== 'hold') nano += entry.cost_nano_usd ?? 0;
  return nano / 1e9;
}

t.test(`case 61: ${ASKED} at once against a budget of ${BUDGET}`, async (t) => {
  const { provider, gateway } = await stageFor(t);
  const agent = new Agent({ keepAlive: true, maxSockets: 200 });
  t.teardown(() => agent.destroy());
  const answers = await Promise.all(Array.from({ length: ASKED }, () => ask(gateway, agent, bodyOf('p/x'))));
  t.same(count(answers), { 200: BUDGET, 429: ASKED - BUDGET });
  t.equal(provider.captures.length, BUDGET, 'exactly so many reach the provider');
  const refused = answers.find((answer) => answer.status === 429);
  t.match(JSON.parse(refused?.text ?? '{}'), { error: { code: 'insufficient_quota', message: /budget/ } });
  t.equal(refused?.headers['x-should-retry'], 'false');
  await gateway.idle();
  t.equal(spent(gateway), BUDGET);
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
    const answer = await opened(`${gateway.url}/v1/chat/completions`, {
      headers: { authorization: `Bearer ${gateway.key}` },
      body: bodyOf('p/left', true),
    });
    if (answer.status === 200) {
      await answer.until('one ');
      answer.abort();
    } else await answer.finished();
    return { status: answer.status };
  };
  const kinds = [
    () => ask(gateway, agent, bodyOf('p/stream', true)),
    leave,
    () => ask(gateway, agent, bodyOf('p/broken')),
    () => ask(gateway, agent, bodyOf('twice')),
  ];
  const answers = await Promise.all(Array.from({ length: 400 }, (_, at) => (kinds[at % kinds.length] ?? leave)()));
  const counted = count(answers);
  t.ok((counted[200] ?? 0) <= BUDGET, 'never above the budget while all run at once');
  await gateway.idle();
  // What failed has been given back; what was cut has been paid.
  await drain(gateway, agent, bodyOf('p/x'));
  await gateway.idle();
  t.equal(spent(gateway), BUDGET, 'the whole budget can be used, to the last dollar and no further');
  t.same(gateway.unsettled(), []);
});

t.test('the service is killed in the middle', async (t) => {
  const { provider, gateway } = await stageFor(t);
  const agent = new Agent({ keepAlive: true, maxSockets: 100 });
  t.teardown(() => agent.destroy());
  provider.on('long', () => ({ ...streamScript('long', WORDS), hold: 2 }));
  const before = await Promise.all(Array.from({ length: 30 }, () => ask(gateway, agent, bodyOf('p/x'))));
  t.same(count(before), { 200: 30 });
  const streams = await Promise.all(
    Array.from({ length: 20 }, () =>
      opened(`${gateway.url}/v1/chat/completions`, {
        headers: { authorization: `Bearer ${gateway.key}` },
        body: bodyOf('p/long', true),
      }),
    ),
  );
  await provider.held(20);
  const killed = gateway.pid('service');
  gateway.kill('service', 'SIGKILL');
  await gateway.replaced(killed);
  // Thirty are spent and twenty are held, although nobody remembers them but the ledger.
  const answers = await Promise.all(Array.from({ length: 200 }, () => ask(gateway, agent, bodyOf('p/x'))));
  t.same(count(answers), { 200: BUDGET - 50, 429: 150 });
  provider.release();
  for (const stream of streams) t.ok((await stream.finished()).complete, 'a stream outlives its service');
  await gateway.settled();
  await drain(gateway, agent, bodyOf('p/x'));
  await gateway.idle();
  t.equal(spent(gateway), BUDGET);
  t.same(gateway.unsettled(), [], 'nothing is stuck');
});

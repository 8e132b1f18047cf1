/** Counters in memory, handed from one generation of the service to the next under load, and rebuilt when the newest one dies. */
import { Agent } from 'node:http';
import t, { type Test } from 'tap';
import type { Open } from '../e2e/client.js';
import { type Gateway, startGateway } from '../e2e/harness.js';
import { type Scripted, startScripted, streamScript } from '../e2e/scripted.js';
import { eventually } from '../eventually.js';
import { ask, DOLLAR_EACH, drain, openStream, spent, untilCounted } from './dollars.js';

const BUDGET = 100;
const WORDS = ['one ', 'two ', 'three '];
const WORKERS = 16;
/** So many requests that the provider refuses, so that their holds are given back, come with one that is paid. */
const REFUSED = 40;

/** Two providers, so that streams of the one can end while those of the other go on. */
interface Stage {
  readonly gateway: Gateway;
  readonly first: Scripted;
  readonly second: Scripted;
}

async function stageFor(t: Test): Promise<Stage> {
  const [first, second] = await Promise.all([startScripted(), startScripted()]);
  for (const provider of [first, second]) {
    t.teardown(() => provider.close());
    provider.on('long', () => ({ ...streamScript('long', WORDS), hold: 2 }));
    provider.on('refused', () => ({ status: 400, chunks: ['{"error":{"message":"no","code":"not_this"}}'] }));
  }
  const gateway = await startGateway(t, {
    config: {
      providers: {
        p: { kind: 'openai-compatible', base_url: first.baseUrl },
        q: { kind: 'openai-compatible', base_url: second.baseUrl },
      },
      prices: DOLLAR_EACH,
      limits: [{ name: 'budget', cost: { max: BUDGET, window: 'total' } }],
    },
  });
  return { gateway, first, second };
}

/** Streams that have begun, in the generation that is the newest one now. */
async function running(gateway: Gateway, model: string, number: number): Promise<readonly Open[]> {
  const open = Array.from({ length: number }, () => openStream(gateway, { key: gateway.key, model }));
  const streams = await Promise.all(open);
  await Promise.all(streams.map((stream) => stream.until('one ')));
  return streams;
}

async function endWhole(t: Test, streams: readonly Open[]): Promise<void> {
  const ends = await Promise.all(streams.map((stream) => stream.finished()));
  const whole = ends.filter(({ complete, text }) => complete && text.endsWith('data: [DONE]\n\n'));
  t.equal(whole.length, streams.length, 'every stream ends whole');
}

/** Resolves when a new generation has taken over: it answers admins, and requests come to it. */
async function nextGeneration(gateway: Gateway): Promise<void> {
  const before = await generationOf(gateway);
  process.kill(gateway.pid('up'), 'SIGHUP');
  const isNew = async (): Promise<boolean> => {
    const now = await generationOf(gateway).catch(() => before);
    return now !== before && (await gateway.limits()).length > 0;
  };
  await eventually('a new generation', isNew);
}

async function generationOf(gateway: Gateway): Promise<string | undefined> {
  return /^tollgate_info\{.*generation="(\d+)"/m.exec(await gateway.metrics())?.[1];
}

/** Many requests at a time until `stop`, which resolves to their statuses. */
function load(t: Test, gateway: Gateway): { stop(): Promise<Record<string, number>> } {
  const agent = new Agent({ keepAlive: true, maxSockets: WORKERS });
  t.teardown(() => agent.destroy());
  const answers: Record<string, number> = {};
  let going = true;
  let begun = 0;
  const worker = async (): Promise<void> => {
    while (going) {
      begun += 1;
      const model = begun % REFUSED === 0 ? 'p/x' : 'p/refused';
      const { status, text } = await ask(gateway, { key: gateway.key, model, agent });
      const code = status === 200 ? '' : ` ${/"code": ?"(\w+)"/.exec(text)?.[1] ?? text}`;
      answers[`${status}${code}`] = (answers[`${status}${code}`] ?? 0) + 1;
    }
  };
  const workers = Promise.all(Array.from({ length: WORKERS }, worker));
  return {
    async stop() {
      going = false;
      await workers;
      return answers;
    },
  };
}

t.test('two new generations under load, then the newest one dies', async (t) => {
  const { gateway, first, second } = await stageFor(t);
  let busy = load(t, gateway);
  const old = await running(gateway, 'p/long', 5);
  await nextGeneration(gateway);
  const middle = await running(gateway, 'q/long', 5);
  await nextGeneration(gateway);
  const fresh = await running(gateway, 'q/long', 5);
  const counts = await busy.stop();
  t.comment(JSON.stringify(counts));
  t.same(Object.keys(counts).sort(), ['200', '400 not_this'], 'no request is refused because of a new generation');
  const paid = first.captures.filter(({ model }) => model === 'x').length;
  t.equal(counts['200'], paid);
  await untilCounted(gateway, 'budget', { used: paid, held: 15 });

  busy = load(t, gateway);
  const killed = gateway.pid('service');
  gateway.kill('service', 'SIGKILL');
  await gateway.replaced(killed);
  t.comment(JSON.stringify(await busy.stop()));
  const again = first.captures.filter(({ model }) => model === 'x').length;
  await untilCounted(gateway, 'budget', { used: again, held: 15 });

  // The generation in the middle goes first: the oldest one has to find the newest without it.
  second.release();
  await endWhole(t, [...middle, ...fresh]);
  await untilCounted(gateway, 'budget', { used: again + 10, held: 5 });
  await eventually('the second generation has ended', () => /generation 2 has finished/.test(gateway.logs()));
  first.release();
  await endWhole(t, old);
  const from = performance.now();
  await untilCounted(gateway, 'budget', { used: again + 15, held: 0 });
  // Not from the ledger, which is read every ten seconds.
  const took = Math.round(performance.now() - from);
  t.ok(took < 5_000, `counted after ${took} ms`);

  t.equal(await drain(gateway, { key: gateway.key, model: 'p/x' }), BUDGET - again - 15);
  await gateway.settled();
  t.equal(spent([gateway], 'e2e'), BUDGET);
  t.same(gateway.unsettled(), []);
  await untilCounted(gateway, 'budget', { used: BUDGET, held: 0 });
});

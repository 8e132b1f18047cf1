import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { WIDTHS_FILE } from '../../../src/accounting/recovery/token-widths.js';
import { type Gateway, startGateway, type TestContext } from '../../e2e/harness.js';
import { eventually } from '../../eventually.js';
import { seededRandom } from '../../seeded-random.js';
import { type CountingProvider, startCountingProvider } from './counting-provider.js';
import { Load } from './load.js';
import { SHARES } from './plan.js';

/** Nano-dollars of a token; the configuration says them in dollars per million. */
export const PRICE = { input: 1_000, output: 4_000 };

export interface KillsOptions {
  readonly rounds: number;
  readonly seed: number;
  readonly clients: number;
  /** Attempts that must arrive between a start and the next kill. */
  readonly attemptsPerRound: number;
  /** Attempts before the first kill, of which the gateway learns how wide answers are. */
  readonly warmUp: number;
  readonly onRound?: (round: number, sent: number) => void;
}

export interface Played {
  readonly gateway: Gateway;
  readonly provider: CountingProvider;
  readonly load: Load;
}

/** Kills the service under load, again and again, and waits until everything has ended. */
export async function playKills(t: TestContext, options: KillsOptions): Promise<Played> {
  const { rounds, seed, clients, attemptsPerRound } = options;
  let load: Load | null = null;
  const provider = await startCountingProvider((marker) => load?.plan(marker));
  t.teardown(() => provider.close());
  const gateway = await startGateway(t, { config: configFor(provider) });
  const running = new Load({ url: gateway.url, key: gateway.key, seed, clients, shares: SHARES });
  load = running;
  // Also where a wait fails: clients that go on asking would keep the process.
  t.teardown(() => running.stop());
  const random = seededRandom(seed + 1);
  running.start();
  await provider.reached(options.warmUp);
  await eventually('how wide answers are is learned', () => hasLearned(join(gateway.directory, 'data', WIDTHS_FILE)));
  for (let round = 1; round <= rounds; round += 1) {
    await provider.reached(provider.served.length + attemptsPerRound);
    await wait(random() * 400);
    const killed = gateway.pid('service');
    gateway.kill('service', 'SIGKILL');
    await gateway.replaced(killed);
    options.onRound?.(round, running.sent.length);
  }
  await provider.reached(provider.served.length + attemptsPerRound);
  await running.stop();
  await gateway.idle();
  await gateway.settled();
  return { gateway, provider, load: running };
}

/** Whole answers and streams of both targets. */
const KINDS = 4;
const ENOUGH = 16;

interface Learned {
  readonly kinds: readonly (readonly [kind: string, answers: unknown[], requests: unknown[]])[];
}

/** Looks into what the service saves now and then, because a service that is killed takes the rest with it. */
function hasLearned(path: string): boolean {
  if (!existsSync(path)) return false;
  const { kinds } = JSON.parse(readFileSync(path, 'utf8')) as Learned;
  const known = kinds.filter(([, answers, requests]) => Math.min(answers.length, requests.length) >= ENOUGH);
  return known.length === KINDS;
}

function configFor(provider: CountingProvider): Record<string, unknown> {
  const account = (name: string) => ({ kind: 'openai-compatible', base_url: provider.baseUrl(name) });
  return {
    providers: { first: account('first'), second: account('second') },
    models: { pair: { targets: ['first/gpt-kills', 'second/gpt-kills'], retry_budget: 'off' } },
    prices: [{ model: '*', input: PRICE.input / 1_000, output: PRICE.output / 1_000 }],
    limits: [
      { name: 'spend', cost: { max: 1_000_000, window: 'total' } },
      {
        name: 'crowd',
        tokens: { max: 1e12, window: 'total' },
        requests: { max: 1e9, window: 'total' },
        concurrent: 10_000,
      },
    ],
  };
}

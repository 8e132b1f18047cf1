import { createHash } from 'node:crypto';
import { compare, measure } from './compare.js';
import { startRedis } from './limits.js';
import {
  type System,
  startLoad,
  startPlainEnvoy,
  startTollgate,
  startUpstream,
  type TollgateSections,
} from './systems.js';

const KEYS = 10_000;
const TEAMS = 998;
const SMALL = { name: 'small JSON, saturated (16 connections)', connections: 16, stream: false, prompt: 150 };
const ONE = { name: 'small JSON, one at a time', connections: 1, stream: false, prompt: 150 };

/** Three limits cover each request: a budget of its team, and two of its key, with five counters in all. */
function manyRules(): TollgateSections {
  const keys = Array.from({ length: KEYS }, (_, index) => ({
    id: `key${index}`,
    hash: `sha256:${createHash('sha256').update(`secret ${index}`).digest('hex')}`,
    labels: { team: `team${index % TEAMS}` },
  }));
  const budgetOf = (team: string): object => ({
    name: `budget-${team}`,
    when: `key.labels.team == "${team}"`,
    cost: { max: 1_000_000, window: 'month' },
  });
  const limits = [
    ...Array.from({ length: TEAMS - 1 }, (_, index) => budgetOf(`team${index}`)),
    budgetOf('bench'),
    { name: 'rate', per: ['key.id'], requests: { max: 1e9, window: '1m' }, tokens: { max: 1e12, window: '1m' } },
    { name: 'places', per: ['key.id'], requests: { max: 1e9, window: '1h', sliding: true }, concurrent: 10_000 },
  ];
  return { keys, limits };
}

/** `npm run bench -- rules`: what 10,000 keys and 1,000 limits cost a request, with counters in memory and in Redis. */
export async function measureRules({
  rounds,
  requests,
}: {
  readonly rounds: number;
  readonly requests: number;
}): Promise<void> {
  const upstream = await startUpstream();
  const load = startLoad();
  const redis = await startRedis();
  const many = manyRules();
  const systems: System[] = [await startPlainEnvoy(upstream.port)];
  try {
    systems.push(await startTollgate(upstream.port, { name: 'one key, no limits' }));
    systems.push(await startTollgate(upstream.port, { ...many, name: '10,000 keys, 1,000 limits, memory' }));
    if (redis) {
      const store = { kind: 'redis', url: redis.url };
      systems.push(await startTollgate(upstream.port, { ...many, store, name: '10,000 keys, 1,000 limits, Redis' }));
    }
    for (const system of systems) await measure(load, system, { ...SMALL, requests: Math.ceil(requests / 2) });
    for (const scenario of [SMALL, ONE]) {
      const share = scenario === ONE ? Math.ceil(requests / 8) : requests;
      await compare({ systems, load, rounds }, { ...scenario, requests: share });
    }
  } finally {
    for (const system of systems) await system.stop();
    load.stop();
    upstream.stop();
    redis?.stop();
  }
}

import { availableParallelism } from 'node:os';
import { measure, type Sample } from './compare.js';
import { median, threadMicros } from './cpu.js';
import { startRedis } from './limits.js';
import { EVERYTHING, type System, startLoad, startTollgate, startUpstream } from './systems.js';

const WORKERS = [1, 2];
const SMALL = { name: 'small JSON, saturated', connections: 32, stream: false, prompt: 150 };
/** A service is warm after some 20,000 requests; each of several sees its share only. */
const WARM_ROUNDS = 4;

interface Taken extends Sample {
  /** CPU of the busiest service process' event loop, microseconds for each request of the whole gateway. */
  readonly busiest: number;
}

/**
 * `npm run bench -- workers`: one service process against two, with everything on and counters in Redis. Throughput depends on
 * how many cores are left beside Envoy, upstream and load generator; what a gateway whose service is the bottleneck could take
 * follows from the CPU of the busiest event loop, and hardly depends on the machine's load.
 */
export async function measureWorkers(wanted: { readonly rounds: number; readonly requests: number }): Promise<void> {
  const redis = await startRedis();
  if (!redis) throw new Error('there is no Redis: npm run setup');
  const upstream = await startUpstream();
  const load = startLoad();
  const systems: System[] = [];
  try {
    for (const workers of WORKERS) {
      // A machine that is busy with other things must not look like an outage.
      const store = { kind: 'redis', url: redis.url, prefix: `bench${workers}`, timeout: '5s' };
      const name = workers === 1 ? 'one service process' : `${workers} service processes`;
      systems.push(await startTollgate(upstream.port, { ...EVERYTHING, store, workers, name }));
    }
    const scenario = { ...SMALL, requests: wanted.requests };
    for (let round = 0; round < WARM_ROUNDS; round += 1)
      for (const system of systems) await measure(load, system, scenario);
    const taken = new Map<System, Taken[]>(systems.map((system) => [system, []]));
    for (let round = 0; round < wanted.rounds; round += 1) {
      for (const [system, samples] of taken) {
        const before = eventLoops(system);
        const sample = await measure(load, system, scenario);
        const after = eventLoops(system);
        const busiest = Math.max(...after.map((micros, at) => micros - (before[at] ?? 0))) / scenario.requests;
        samples.push({ ...sample, busiest });
      }
    }
    print(taken, wanted);
  } finally {
    for (const system of systems) await system.stop();
    load.stop();
    upstream.stop();
    redis.stop();
  }
}

function eventLoops(system: System): readonly number[] {
  const services = Object.entries(system.parts()).filter(([part]) => part.startsWith('service'));
  return services.map(([, pid]) => threadMicros(pid).get('main') ?? 0);
}

function print(taken: ReadonlyMap<System, readonly Taken[]>, wanted: { rounds: number; requests: number }): void {
  console.log(`\n### Several service processes: ${SMALL.name}, ${SMALL.connections} connections, Redis`);
  console.log(`\n${wanted.requests} requests × ${wanted.rounds}, ${availableParallelism()} cores for everything.\n`);
  console.log(
    '| system | CPU/request, Envoy | CPU/request, services | requests/s here | busiest event loop/request | service-bound requests/s | × first |',
  );
  console.log('|---|---|---|---|---|---|---|');
  let first: number | null = null;
  for (const [system, samples] of taken) {
    const of = (pick: (sample: Taken) => number): number => median(samples.map(pick));
    const bound = 1e6 / of(({ busiest }) => busiest);
    first ??= bound;
    const cells = [
      system.name,
      `${of(({ cpu }) => cpu['envoy'] ?? 0).toFixed(0)} µs`,
      `${of(serviceMicros).toFixed(0)} µs`,
      of(({ rate }) => rate).toFixed(0),
      `${of(({ busiest }) => busiest).toFixed(0)} µs`,
      bound.toFixed(0),
      (bound / first).toFixed(2),
    ];
    console.log(`| ${cells.join(' | ')} |`);
  }
}

function serviceMicros({ cpu }: Sample): number {
  return Object.entries(cpu).reduce((sum, [part, micros]) => (part === 'envoy' ? sum : sum + micros), 0);
}

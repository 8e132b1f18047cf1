import { availableParallelism } from 'node:os';
import { measure, type Sample, type Scenario } from './compare.js';
import { familyMicros, median, threadMicros } from './cpu.js';
import { table } from './e2e/table.js';
import { startRedis } from './limits.js';
import { EVERYTHING, type LoadProcess, type System, startLoad, startTollgate, startUpstream } from './systems.js';

const WORKERS = [1, 2];
const SMALL = { name: 'small JSON, saturated', stream: false, prompt: 150 };
/** For each service process: with fewer at once it answers fewer together, which is dearer and no matter of how many there are. */
const CONNECTIONS = 32;
/** A service process is warm after so many requests; each of several sees its share only. */
const WARM = 20_000;

interface Taken extends Sample {
  /** CPU of the busiest service process' event loop, microseconds for each request of the whole gateway. */
  readonly busiest: number;
  /** CPU of all that took part, microseconds per request: gateway, Redis, provider, load generator. */
  readonly everything: number;
}

/**
 * `npm run bench -- workers`: one service process against two, with everything on and counters in Redis; two to three minutes.
 * Where Envoy, provider and load generator share the cores with the service, throughput ends where the cores are used up, so what
 * they allow is told beside it. What a gateway whose service is the bottleneck could take follows from the CPU of the busiest
 * event loop, and hardly depends on the machine's load.
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
    const scenarioOf = (system: System, requests: number): Scenario => {
      const workers = WORKERS[systems.indexOf(system)] ?? 1;
      return { ...SMALL, connections: CONNECTIONS * workers, requests: requests * workers };
    };
    for (const system of systems) await measure(load, system, scenarioOf(system, Math.min(WARM, 5 * wanted.requests)));
    const taken = new Map<System, Taken[]>(systems.map((system) => [system, []]));
    for (let round = 0; round < wanted.rounds; round += 1) {
      for (const [system, samples] of taken)
        samples.push(await sampleOf(load, system, scenarioOf(system, wanted.requests)));
    }
    print(taken, wanted);
  } finally {
    for (const system of systems) await system.stop();
    load.stop();
    upstream.stop();
    redis.stop();
  }
}

async function sampleOf(load: LoadProcess, system: System, scenario: Scenario): Promise<Taken> {
  const { requests } = scenario;
  const [loops, all] = [eventLoops(system), familyMicros(process.pid)];
  const sample = await measure(load, system, scenario);
  const busiest = Math.max(...eventLoops(system).map((micros, at) => micros - (loops[at] ?? 0))) / requests;
  return { ...sample, busiest, everything: (familyMicros(process.pid) - all) / requests };
}

function eventLoops(system: System): readonly number[] {
  const services = Object.entries(system.parts()).filter(([part]) => part.startsWith('service'));
  return services.map(([, pid]) => threadMicros(pid).get('main') ?? 0);
}

const COLUMNS = [
  'system',
  'CPU/request, Envoy',
  'services',
  'everything here',
  'requests/s here',
  'these cores allow',
  'busiest event loop/request',
  'service-bound requests/s',
  '× first',
];

function print(taken: ReadonlyMap<System, readonly Taken[]>, wanted: { rounds: number; requests: number }): void {
  const cores = availableParallelism();
  let first: number | null = null;
  const rows = [...taken].map(([system, samples]) => {
    const of = (pick: (sample: Taken) => number): number => median(samples.map(pick));
    const bound = 1e6 / of(({ busiest }) => busiest);
    first ??= bound;
    return [
      system.name,
      `${of(({ cpu }) => cpu['envoy'] ?? 0).toFixed(0)} µs`,
      `${of(serviceMicros).toFixed(0)} µs`,
      `${of(({ everything }) => everything).toFixed(0)} µs`,
      of(({ rate }) => rate).toFixed(0),
      ((cores * 1e6) / of(({ everything }) => everything)).toFixed(0),
      `${of(({ busiest }) => busiest).toFixed(0)} µs`,
      bound.toFixed(0),
      (bound / first).toFixed(2),
    ];
  });
  console.log(`\n### Several service processes: ${SMALL.name}, ${CONNECTIONS} connections for each, Redis`);
  console.log(`\n${wanted.requests} requests for each × ${wanted.rounds}, ${cores} cores for everything.\n`);
  console.log(table(COLUMNS, rows));
}

function serviceMicros({ cpu }: Sample): number {
  return Object.entries(cpu).reduce((sum, [part, micros]) => (part === 'envoy' ? sum : sum + micros), 0);
}

import { cpuMicros, median, residentMebibytes } from './cpu.js';
import { measureFailover } from './failover.js';
import { measureLimits } from './limits.js';
import type { Load } from './load.js';
import { KEY, type System, startLoad, startPlainEnvoy, startTollgate, startUpstream } from './systems.js';

/**
 * Envoy with Tollgate against the same Envoy without it, in one run, rounds interleaved. Prints a Markdown table: medians
 * over the rounds of CPU per request by part, and of latency. `--short` for CI, `--rounds N`;
 * `failover` measures a look at the first bytes and the way to a second target instead, `limits` the counters.
 */

interface Scenario {
  readonly name: string;
  readonly requests: number;
  readonly connections: number;
  readonly stream: boolean;
  readonly prompt: number;
}

const SCENARIOS: readonly Scenario[] = [
  { name: 'small JSON, saturated (16 connections)', requests: 4000, connections: 16, stream: false, prompt: 150 },
  { name: 'small JSON, one at a time', requests: 500, connections: 1, stream: false, prompt: 150 },
  { name: '200 KB body, 4 connections', requests: 400, connections: 4, stream: false, prompt: 200_000 },
  { name: '100-chunk stream, 10 ms apart, 20 at a time', requests: 80, connections: 20, stream: true, prompt: 150 },
];

interface Sample {
  readonly cpu: Readonly<Record<string, number>>;
  readonly firstByte: number;
  readonly total: number;
  readonly p99: number;
  readonly rate: number;
}

const short = process.argv.includes('--short');
if (process.argv.includes('failover')) {
  await measureFailover(short ? 15 : 60);
  process.exit(0);
}
if (process.argv.includes('limits')) {
  await measureLimits(short ? 2000 : 100_000);
  process.exit(0);
}
const roundsFlag = process.argv.indexOf('--rounds');
const rounds = roundsFlag > 0 ? Number(process.argv[roundsFlag + 1]) : short ? 1 : 5;

const upstream = await startUpstream();
const load = startLoad();
const systems = [await startPlainEnvoy(upstream.port), await startTollgate(upstream.port)];
try {
  for (const system of systems) await measure(system, { ...first(), requests: short ? 300 : 3000 });
  for (const scenario of SCENARIOS) await compare(scenario);
  for (const system of systems) {
    const memory = Object.entries(system.parts()).map(
      ([part, pid]) => `${part} ${residentMebibytes(pid).toFixed(0)} MiB`,
    );
    console.log(`\nMemory of ${system.name} at the end: ${memory.join(', ')}.`);
  }
} finally {
  for (const system of systems) await system.stop();
  load.stop();
  upstream.stop();
}

function first(): Scenario {
  const [scenario] = SCENARIOS;
  if (!scenario) throw new Error('no scenario');
  return scenario;
}

async function compare(given: Scenario): Promise<void> {
  const scenario = short ? { ...given, requests: Math.ceil(given.requests / 4) } : given;
  const samples = new Map<System, Sample[]>(systems.map((system) => [system, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const system of systems) samples.get(system)?.push(await measure(system, scenario));
  }
  console.log(`\n### ${scenario.name} (${scenario.requests} requests × ${rounds})\n`);
  console.log(
    '| system | CPU/request, Envoy | CPU/request, service | total | × plain | first byte p50 | end p50 | end p99 | requests/s |',
  );
  console.log('|---|---|---|---|---|---|---|---|---|');
  const base = totalCpu(samples.get(systems[0] as System) ?? []);
  for (const [system, taken] of samples) {
    const of = (pick: (sample: Sample) => number): number => median(taken.map(pick));
    const cells = [
      system.name,
      `${of((sample) => sample.cpu['envoy'] ?? 0).toFixed(0)} µs`,
      'service' in (taken[0]?.cpu ?? {}) ? `${of((sample) => sample.cpu['service'] ?? 0).toFixed(0)} µs` : '–',
      `${totalCpu(taken).toFixed(0)} µs`,
      (totalCpu(taken) / base).toFixed(2),
      `${of((sample) => sample.firstByte).toFixed(2)} ms`,
      `${of((sample) => sample.total).toFixed(2)} ms`,
      `${of((sample) => sample.p99).toFixed(2)} ms`,
      of((sample) => sample.rate).toFixed(0),
    ];
    console.log(`| ${cells.join(' | ')} |`);
  }
}

function totalCpu(samples: readonly Sample[]): number {
  return median(samples.map((sample) => Object.values(sample.cpu).reduce((sum, value) => sum + value, 0)));
}

async function measure(system: System, scenario: Scenario): Promise<Sample> {
  const { requests, connections, stream, prompt } = scenario;
  const order: Load = {
    port: system.port,
    requests,
    connections,
    stream,
    prompt,
    model: `${system.prefix}bench`,
    key: KEY,
  };
  const parts = system.parts();
  const before = Object.fromEntries(Object.entries(parts).map(([part, pid]) => [part, cpuMicros(pid)]));
  const result = await load.run(order);
  if (result.failed > 0) throw new Error(`${system.name}: ${result.failed} of ${requests} requests failed`);
  const cpu = Object.fromEntries(
    Object.entries(parts).map(([part, pid]) => [part, (cpuMicros(pid) - (before[part] ?? 0)) / requests]),
  );
  return {
    cpu,
    firstByte: result.firstByte.p50,
    total: result.total.p50,
    p99: result.total.p99,
    rate: requests / result.seconds,
  };
}

import { cpuMicros, median } from './cpu.js';
import type { Load, LoadResult } from './load.js';
import { KEY, type System } from './systems.js';

export interface Scenario {
  readonly name: string;
  readonly requests: number;
  readonly connections: number;
  readonly stream: boolean;
  readonly prompt: number;
  /** Not given: `bench`. */
  readonly model?: string;
}

interface Sample {
  readonly cpu: Readonly<Record<string, number>>;
  readonly firstByte: number;
  readonly total: number;
  readonly p99: number;
  readonly rate: number;
}

export interface Comparison {
  /** The first one is what the others are compared with. */
  readonly systems: readonly System[];
  readonly load: { run(load: Load): Promise<LoadResult> };
  readonly rounds: number;
}

/** Runs a scenario on all systems in turn, `rounds` times, and prints a Markdown table of medians. */
export async function compare({ systems, load, rounds }: Comparison, scenario: Scenario): Promise<void> {
  const samples = new Map<System, Sample[]>(systems.map((system) => [system, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const system of systems) samples.get(system)?.push(await measure(load, system, scenario));
  }
  console.log(`\n### ${scenario.name} (${scenario.requests} requests × ${rounds})\n`);
  console.log(
    '| system | CPU/request, Envoy | CPU/request, service | total | × first | first byte p50 | end p50 | end p99 | requests/s |',
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

export async function measure(load: Comparison['load'], system: System, scenario: Scenario): Promise<Sample> {
  const { requests, connections, stream, prompt, model = 'bench' } = scenario;
  const order: Load = {
    port: system.port,
    requests,
    connections,
    stream,
    prompt,
    model: `${system.prefix}${model}`,
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

import { familyMicros, median } from './cpu.js';
import type { Load, LoadResult } from './load/load.js';
import { KEY, type System } from './systems.js';

/** What is asked of each system; keys, ports and headers are the system's. */
export interface Scenario extends Omit<Load, 'port' | 'model' | 'key' | 'headers'> {
  readonly name: string;
  /** Not given: `bench`. */
  readonly model?: string;
  /** Not given: the one that is known. */
  readonly key?: string;
}

export interface Sample {
  /** Microseconds per request by part. */
  readonly cpu: Readonly<Record<string, number>>;
  /** Medians and p99 in milliseconds. */
  readonly firstByte: number;
  readonly firstByteP99: number;
  readonly total: number;
  readonly p99: number;
  readonly events: LoadResult['events'];
  /** Requests per second. */
  readonly rate: number;
  /** Of the load generator: CPU per request, and how late it was (p99), where it had a timetable. */
  readonly generator: { readonly cpu: number; readonly behindMs: number };
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
  return median(samples.map(cpuOf));
}

/** All parts together. */
export function cpuOf({ cpu }: Sample): number {
  return Object.values(cpu).reduce((sum, value) => sum + value, 0);
}

/** @throws Error if any request failed */
export async function measure(load: Comparison['load'], system: System, scenario: Scenario): Promise<Sample> {
  const { name, model = 'bench', models, ...rest } = scenario;
  const order: Load = {
    key: KEY,
    ...rest,
    port: system.port,
    model: `${system.prefix}${model}`,
    ...(models ? { models: models.map((each) => `${system.prefix}${each}`) } : {}),
    ...(system.headers ? { headers: system.headers } : {}),
  };
  const before = cpuByPart(system);
  const result = await load.run(order);
  const after = cpuByPart(system);
  const { requests } = scenario;
  if (result.failed > 0) throw failures(`${system.name}, ${name}`, result);
  return {
    cpu: Object.fromEntries(
      Object.entries(after).map(([part, micros]) => [part, (micros - (before[part] ?? 0)) / requests]),
    ),
    firstByte: result.firstByte.p50,
    firstByteP99: result.firstByte.p99,
    total: result.total.p50,
    p99: result.total.p99,
    events: result.events,
    rate: requests / result.seconds,
    generator: { cpu: result.cpu, behindMs: result.behind?.p99 ?? 0 },
  };
}

/** What is wrong with a load that was to have no failure. */
export function failures(what: string, { ok, failed, problem }: LoadResult): Error {
  return new Error(`${what}: ${failed} of ${ok + failed} requests failed, the first one: ${problem}`);
}

function cpuByPart(system: System): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(system.parts()).map(([part, pid]) => [part, familyMicros(pid)]));
}

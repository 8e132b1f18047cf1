import { cpuOf, measure, type Sample, type Scenario } from '../compare.js';
import type { Options } from '../options.js';
import { progress } from '../progress.js';
import {
  EVERYTHING,
  type LoadProcess,
  type System,
  startLoad,
  startPlainEnvoy,
  startTollgate,
  startUpstream,
} from '../systems.js';

/** What a scenario plays on: plain Envoy and Envoy + Tollgate with everything on, warm. */
export interface Stage {
  readonly upstream: { readonly port: number };
  readonly load: LoadProcess;
  readonly plain: System;
  readonly tollgate: System;
  readonly rounds: number;
  readonly options: Options;
  /** A number of requests, or the smaller one of a short run. */
  requests(full: number): number;
  /** Runs all systems in turn, round after round, after one round that does not count; samples by system, in order. */
  interleaved(systems: readonly System[], scenarioOf: (system: System) => Scenario): Promise<readonly Sample[][]>;
}

/** What a scenario found. */
export interface Outcome {
  /** Cells of the table of traffic. */
  readonly row?: readonly string[];
  /** Markdown of its own. */
  readonly section?: string;
  readonly data: unknown;
}

export const SMALL: Scenario = { name: 'small JSON', requests: 4000, connections: 32, stream: false, prompt: 150 };
const WARM_UP = { least: 60_000, most: 120_000, steady: 0.97 };

export async function openStage(options: Options): Promise<Stage & { close(): Promise<void> }> {
  const upstream = await startUpstream();
  const load = startLoad();
  const systems: System[] = [];
  const close = async (): Promise<void> => {
    for (const system of systems) await system.stop();
    load.stop();
    upstream.stop();
  };
  try {
    const plain = await startPlainEnvoy(upstream.port);
    systems.push(plain);
    const tollgate = await startTollgate(upstream.port, EVERYTHING);
    systems.push(tollgate);
    for (const system of systems) await warmUp(load, system, options);
    const rounds = options.rounds ?? (options.short ? 1 : 5);
    const requests = (full: number): number => (options.short ? Math.ceil(full / 10) : full);
    const interleaved: Stage['interleaved'] = async (taken, scenarioOf) => {
      const samples = taken.map((): Sample[] => []);
      for (let round = 0; round <= rounds; round += 1) {
        for (const [at, system] of taken.entries()) {
          const scenario = scenarioOf(system);
          const first = { ...scenario, requests: Math.max(20, Math.ceil(scenario.requests / 4)) };
          const sample = await measure(load, system, round === 0 ? first : scenario);
          if (round > 0) samples[at]?.push(sample);
        }
      }
      return samples;
    };
    return { upstream, load, plain, tollgate, rounds, options, requests, interleaved, close };
  } catch (problem) {
    await close();
    throw problem;
  }
}

/** Small requests until they cost no less than before: code is compiled, counters, caches and pools are filled. */
export async function warmUp(
  load: LoadProcess,
  system: System,
  { short, asked = {} }: { readonly short: boolean; readonly asked?: Partial<Scenario> },
): Promise<void> {
  const scenario = { ...SMALL, ...asked, requests: short ? 1000 : 4000 };
  const least = short ? 2000 : WARM_UP.least;
  let before = Number.POSITIVE_INFINITY;
  for (let done = 0; done < WARM_UP.most; done += scenario.requests) {
    const micros = cpuOf(await measure(load, system, scenario));
    if (done + scenario.requests >= least && micros > before * WARM_UP.steady) break;
    before = micros;
  }
  progress(`${system.name} is warm`);
}

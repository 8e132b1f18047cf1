import { failures } from './compare.js';
import { forgetPeak, median, peakMebibytes, residentMebibytes } from './cpu.js';
import { warmUp } from './e2e/stage.js';
import { table } from './e2e/table.js';
import type { Load, LoadResult } from './load/load.js';
import { progress } from './progress.js';
import {
  EVERYTHING,
  KEY,
  type LoadProcess,
  type System,
  startLoad,
  startPlainEnvoy,
  startTollgate,
  startUpstream,
} from './systems.js';

/** Large requests beside small ones. */
interface Beside {
  readonly title: string;
  /** Clients that send one large body after the other; 0 = nothing is beside the small ones. */
  readonly clients: number;
  /** Each second, from these clients; not given: as many as they can. */
  readonly rate?: number;
  /** A provider that speaks the client's dialect, or another. */
  readonly provider: 'p' | 'claude';
}

const MEBIBYTE = 1024 * 1024;
/** The default of `body_limit`, less what is around the prompt. */
const LARGE_BYTES = 32 * MEBIBYTE - 1024;
const BESIDE: readonly Beside[] = [
  { title: 'nothing', clients: 0, provider: 'p' },
  { title: 'one each second, passed on', clients: 4, rate: 1, provider: 'p' },
  { title: '1 client, passed on', clients: 1, provider: 'p' },
  { title: '2 clients, passed on', clients: 2, provider: 'p' },
  { title: '4 clients, passed on', clients: 4, provider: 'p' },
  { title: '4 clients, translated', clients: 4, provider: 'claude' },
];
/** Small requests each second: far from what the gateway can. */
const SMALL_RATE = 200;

interface Seen {
  /** Milliseconds, of the small ones. */
  readonly p50: number;
  readonly p99: number;
  /** How many times the p99 of small requests alone, in the same round. */
  readonly times: number;
  /** Milliseconds, of the longest hold-up of the service's event loop; null where there is none. */
  readonly stall: number | null;
  /** Of the large ones: milliseconds, and how many each second. */
  readonly large: number;
  readonly rate: number;
  /** Of each part: resident memory at its peak above that before the first large body, in bytes for a byte in flight. */
  readonly memory: Readonly<Record<string, number>>;
}

interface Stage {
  readonly system: System;
  readonly small: LoadProcess;
  readonly large: LoadProcess;
  readonly seconds: number;
  /** MiB by part, warm, before the first large body. */
  readonly idle: Readonly<Record<string, number>>;
}

interface Wanted {
  readonly rounds: number;
  /** Of each measurement. */
  readonly seconds: number;
}

/** `npm run bench -- long`: what small requests notice of large ones beside them, and what memory these take. */
export async function measureLong({ rounds, seconds }: Wanted): Promise<void> {
  const upstream = await startUpstream();
  const [small, large] = [startLoad(), startLoad()];
  const claude = { kind: 'anthropic', base_url: `http://127.0.0.1:${upstream.port}/v1`, credentials: 'sk-provider' };
  const systems: System[] = [];
  try {
    systems.push(await startPlainEnvoy(upstream.port));
    systems.push(await startTollgate(upstream.port, { ...EVERYTHING, providers: { claude } }));
    const stages: Stage[] = [];
    for (const system of systems) {
      await warmUp(small, system, { short: rounds === 1 });
      const idle = byPart(system, residentMebibytes);
      stages.push({ system, small, large, seconds, idle });
    }
    const taken = new Map<string, Seen[]>();
    for (let round = 1; round <= rounds; round += 1) {
      for (const stage of stages) await measureRound(stage, `round ${round} of ${rounds}`, taken);
    }
    print(taken, { rounds, seconds });
  } finally {
    for (const system of systems) await system.stop();
    for (const process of [small, large, upstream]) process.stop();
  }
}

async function measureRound(stage: Stage, round: string, taken: Map<string, Seen[]>): Promise<void> {
  let alone: number | null = null;
  for (const beside of BESIDE) {
    // Plain Envoy translates nothing.
    if (stage.system.prefix === '' && beside.provider !== 'p') continue;
    const name = `${stage.system.name} | ${beside.title}`;
    progress(`${round}: ${stage.system.name}, beside ${beside.title}`);
    const seen = await measureBeside(stage, beside);
    alone ??= seen.p99;
    taken.set(name, [...(taken.get(name) ?? []), { ...seen, times: seen.p99 / alone }]);
  }
}

async function measureBeside(stage: Stage, beside: Beside): Promise<Omit<Seen, 'times'>> {
  const { system, small, large, seconds, idle } = stage;
  const base = { port: system.port, stream: false, key: KEY };
  const model = `${system.prefix}bench`;
  const requests = SMALL_RATE * seconds;
  const smallLoad: Load = { ...base, requests, rate: SMALL_RATE, connections: 64, model, prompt: 150 };
  const prefix = system.prefix === '' ? '' : `${beside.provider}/`;
  const largeLoad: Load = {
    ...base,
    ...(beside.rate === undefined
      ? { requests: Number.MAX_SAFE_INTEGER, seconds }
      : { requests: beside.rate * seconds, rate: beside.rate }),
    connections: beside.clients,
    model: `${prefix}bench`,
    prompt: LARGE_BYTES,
  };
  byPart(system, forgetPeak);
  // The figure since the last look is thrown away.
  await longestStall(system);
  const both = await Promise.all([small.run(smallLoad), beside.clients === 0 ? null : large.run(largeLoad)]);
  for (const result of both) refuseFailures(system, beside, result);
  const [{ total }, largeResult] = both;
  const peaks = byPart(system, peakMebibytes);
  const inFlight = ((beside.rate ?? beside.clients) * LARGE_BYTES) / MEBIBYTE;
  return {
    ...total,
    stall: await longestStall(system),
    large: largeResult?.total.p50 ?? 0,
    rate: largeResult === null ? 0 : largeResult.ok / largeResult.seconds,
    memory: Object.fromEntries(
      Object.entries(peaks).map(([part, peak]) => [part, (peak - (idle[part] ?? 0)) / inFlight]),
    ),
  };
}

function refuseFailures(system: System, beside: Beside, result: LoadResult | null): void {
  if (result !== null && result.failed > 0) throw failures(`${system.name}, beside ${beside.title}`, result);
}

function byPart<Value>(system: System, of: (pid: number) => Value): Record<string, Value> {
  return Object.fromEntries(Object.entries(system.parts()).map(([part, pid]) => [part, of(pid)]));
}

/** Since it was asked last. */
async function longestStall(system: System): Promise<number | null> {
  const page = await system.metrics?.();
  const longest = /^tollgate_event_loop_delay_seconds\{quantile="1"\} (\S+)$/m.exec(page ?? '')?.[1];
  return longest === undefined ? null : Number(longest) * 1000;
}

const COLUMNS = [
  'system',
  'beside',
  'small p50',
  'small p99',
  '× alone',
  'longest stall of the loop',
  'large p50',
  'large/s',
  'Envoy, bytes for a byte in flight',
  'service',
];

function print(taken: ReadonlyMap<string, readonly Seen[]>, { rounds, seconds }: Wanted): void {
  console.log(`\n### ${SMALL_RATE} small requests a second beside bodies of 32 MiB (${seconds} s × ${rounds})\n`);
  const rows = [...taken].map(([name, all]) => {
    const of = (pick: (seen: Seen) => number | null | undefined): string => {
      const values = all.map(pick).filter((value) => value !== null && value !== undefined && Number.isFinite(value));
      return values.length === 0 ? '–' : median(values as number[]).toFixed(1);
    };
    return [
      ...name.split(' | '),
      `${of(({ p50 }) => p50)} ms`,
      `${of(({ p99 }) => p99)} ms`,
      of(({ times }) => times),
      `${of(({ stall }) => stall)} ms`,
      `${of(({ large }) => large)} ms`,
      of(({ rate }) => rate),
      of(({ memory }) => memory['envoy']),
      of(({ memory }) => memory['service']),
    ];
  });
  console.log(table(COLUMNS, rows));
}

import { setTimeout as wait } from 'node:timers/promises';
import { median, residentMebibytes } from './cpu.js';
import type { Load, LoadResult } from './load/load.js';
import {
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
  /** Bytes of prompt; 0 = nothing is beside them. */
  readonly bytes: number;
  /** A provider that speaks the client's dialect, or another. */
  readonly provider: 'p' | 'claude';
}

const MEBIBYTE = 1024 * 1024;
const NOTHING: Beside = { title: 'nothing', bytes: 0, provider: 'p' };
const BESIDE: readonly Beside[] = [
  NOTHING,
  { title: '31 MiB passed on', bytes: 31 * MEBIBYTE, provider: 'p' },
  { title: '10 MB translated', bytes: 10_000_000, provider: 'claude' },
  { title: '31 MiB translated', bytes: 31 * MEBIBYTE, provider: 'claude' },
];
/** Small requests each second: far from what the gateway can. */
const SMALL_RATE = 100;
/** Large requests each second, and the most at once. */
const LARGE_RATE = 1;
const LARGE_AT_ONCE = 4;

interface Seen {
  readonly p50: number;
  readonly p99: number;
  /** Milliseconds, of the longest hold-up of the service's event loop; null where there is none. */
  readonly stall: number | null;
  /** Of the large ones, milliseconds. */
  readonly large: number;
  /** MiB above what there was before: all processes at their peak. */
  readonly memory: number;
}

/** `npm run bench -- long`: what small requests notice of large ones beside them. */
export async function measureLong({ rounds, seconds }: { rounds: number; seconds: number }): Promise<void> {
  const upstream = await startUpstream();
  const [small, large] = [startLoad(), startLoad()];
  const plain = await startPlainEnvoy(upstream.port);
  const tollgate = await startTollgate(upstream.port, {
    providers: {
      claude: { kind: 'anthropic', base_url: `http://127.0.0.1:${upstream.port}/v1`, credentials: 'sk-provider' },
    },
  });
  try {
    const taken = new Map<string, Seen[]>();
    for (let round = -1; round < rounds; round += 1) {
      for (const system of [plain, tollgate]) {
        for (const beside of BESIDE) {
          // Plain Envoy translates nothing.
          if (system === plain && beside.provider !== 'p') continue;
          const seen = await measureBeside({ system, small, large, seconds }, beside);
          const name = `${system.name} | ${beside.title}`;
          if (round >= 0) taken.set(name, [...(taken.get(name) ?? []), seen]);
        }
      }
    }
    print(taken, { rounds, seconds });
  } finally {
    await plain.stop();
    await tollgate.stop();
    for (const process of [small, large, upstream]) process.stop();
  }
}

interface Stage {
  readonly system: System;
  readonly small: LoadProcess;
  readonly large: LoadProcess;
  readonly seconds: number;
}

async function measureBeside({ system, small, large, seconds }: Stage, beside: Beside): Promise<Seen> {
  const base = { port: system.port, stream: false, key: KEY };
  const requests = SMALL_RATE * seconds;
  const smallLoad = {
    ...base,
    requests,
    rate: SMALL_RATE,
    connections: 32,
    model: `${system.prefix}bench`,
    prompt: 150,
  };
  const before = memoryOf(system);
  // The figure since the last look is thrown away.
  await longestStall(system);
  const watching = watchMemory(system);
  const prefix = system.prefix === '' ? '' : `${beside.provider}/`;
  const largeLoad: Load = {
    ...base,
    requests: LARGE_RATE * seconds,
    rate: LARGE_RATE,
    connections: LARGE_AT_ONCE,
    model: `${prefix}bench`,
    prompt: beside.bytes,
  };
  const both = await Promise.all([small.run(smallLoad), beside.bytes === 0 ? null : large.run(largeLoad)]);
  const peak = watching.stop();
  for (const result of both) refuseFailures(system, beside, result);
  const [smallResult, largeResult] = both;
  return {
    p50: smallResult.total.p50,
    p99: smallResult.total.p99,
    stall: await longestStall(system),
    large: largeResult?.total.p50 ?? 0,
    memory: peak - before,
  };
}

function refuseFailures(system: System, beside: Beside, result: LoadResult | null): void {
  if (result !== null && result.failed > 0)
    throw new Error(`${system.name}, ${beside.title}: ${result.failed} requests failed`);
}

function memoryOf(system: System): number {
  return Object.values(system.parts()).reduce((sum, pid) => sum + residentMebibytes(pid), 0);
}

function watchMemory(system: System): { stop(): number } {
  let peak = 0;
  let on = true;
  const look = async (): Promise<void> => {
    while (on) {
      peak = Math.max(peak, memoryOf(system));
      await wait(50);
    }
  };
  void look();
  return {
    stop() {
      on = false;
      return peak;
    },
  };
}

/** Since it was asked last. */
async function longestStall(system: System): Promise<number | null> {
  const page = await system.metrics?.();
  const longest = /^tollgate_event_loop_delay_seconds\{quantile="1"\} (\S+)$/m.exec(page ?? '')?.[1];
  return longest === undefined ? null : Number(longest) * 1000;
}

function print(
  taken: ReadonlyMap<string, readonly Seen[]>,
  { rounds, seconds }: { rounds: number; seconds: number },
): void {
  console.log(
    `\n### ${SMALL_RATE} small requests a second, and ${LARGE_RATE} large one beside them (${seconds} s × ${rounds})\n`,
  );
  console.log(
    '| system | beside | small p50 | small p99 | longest stall of the loop | large p50 | memory above idle |',
  );
  console.log('|---|---|---|---|---|---|---|');
  for (const [name, all] of taken) {
    const of = (pick: (seen: Seen) => number | null): string => {
      const values = all.map(pick).filter((value) => value !== null);
      return values.length === 0 ? '–' : median(values).toFixed(1);
    };
    const cells = [of(({ p50 }) => p50), of(({ p99 }) => p99), of(({ stall }) => stall), of(({ large }) => large)];
    console.log(`| ${name} | ${cells.map((cell) => `${cell} ms`).join(' | ')} | ${of(({ memory }) => memory)} MiB |`);
  }
}

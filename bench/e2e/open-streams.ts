import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { measure, type Scenario } from '../compare.js';
import { residentMebibytes } from '../cpu.js';
import type { Quantiles } from '../load/load.js';
import { progress } from '../progress.js';
import { EVERYTHING, KEY, type System, startTollgate } from '../systems.js';
import { type Outcome, SMALL, type Stage } from './stage.js';
import { table, verdict } from './table.js';

const STREAMS = 10_000;
const START_RATE = 500;
const MOST_MEBIBYTES = 256;
/** Files that a process has open beside those of streams. */
const OTHER_FILES = 500;

/** What the service needs before streams open: code is compiled, counters are there. */
const WARM: Scenario = { ...SMALL, requests: 4000 };

/**
 * Memory with 10,000 streams open at once, each with one event every ten seconds. In a gateway of its own: what other scenarios
 * have left in memory is not what streams need.
 */
export async function measureOpenStreams(stage: Stage): Promise<Outcome> {
  const wanted = stage.requests(STREAMS);
  // Envoy has two sockets for each.
  const possible = Math.floor((openFileLimit() - OTHER_FILES) / 2);
  const streams = Math.min(wanted, possible);
  const gateway = await startTollgate(stage.upstream.port, EVERYTHING);
  try {
    await measure(stage.load, gateway, { ...WARM, requests: stage.requests(WARM.requests) });
    progress(`${streams} open streams`);
    return report({ wanted, streams, ...(await open(stage, gateway, streams)) });
  } finally {
    await gateway.stop();
  }
}

interface Found {
  readonly failed: number;
  readonly firstByte: Quantiles;
  readonly before: Resident;
  readonly open: Resident;
  readonly after: Resident;
}

async function open({ load }: Stage, gateway: System, streams: number): Promise<Found> {
  const before = resident(gateway);
  const order = { port: gateway.port, key: KEY, model: `${gateway.prefix}open`, prompt: 150, stream: true };
  const shape = { requests: streams, connections: streams, rate: START_RATE, hold: true };
  const { failed, firstByte } = await load.run({ ...order, ...shape });
  await wait(2000);
  const opened = resident(gateway);
  // The load generator closes what it holds when it is asked for something else.
  await measure(load, gateway, { ...SMALL, requests: 100, connections: 1 });
  await wait(2000);
  return { failed, firstByte, before, open: opened, after: resident(gateway) };
}

function report({ wanted, streams, ...found }: Found & { readonly wanted: number; readonly streams: number }): Outcome {
  const { failed, firstByte, before, open: opened, after } = found;
  const rows = (['service', 'envoy'] as const).map((part) => [
    part,
    `${before[part].toFixed(0)} MiB`,
    `${opened[part].toFixed(0)} MiB`,
    `${(((opened[part] - before[part]) * 1024) / streams).toFixed(1)} KiB`,
    `${after[part].toFixed(0)} MiB`,
    part === 'service' ? `${MOST_MEBIBYTES} MiB: ${verdict(opened.service <= MOST_MEBIBYTES)}` : '–',
  ]);
  const notes = [
    `First byte p50 ${firstByte.p50.toFixed(1)} ms, p99 ${firstByte.p99.toFixed(1)} ms, at ${START_RATE} new streams per second.`,
    ...(failed > 0 ? [`${failed} streams failed.`] : []),
    ...(streams < wanted ? [`Not ${wanted}: a process may open ${openFileLimit()} files here (ulimit -n).`] : []),
  ];
  const columns = ['memory', 'before', 'open', 'for each stream', 'closed', 'at most'];
  const section = `### ${streams} open streams\n\n${table(columns, rows)}\n\n${notes.join('\n')}`;
  return { section, data: { streams, ...found } };
}

interface Resident {
  readonly service: number;
  readonly envoy: number;
}

function resident(gateway: System): Resident {
  const { service = 0, envoy = 0 } = gateway.parts();
  return { service: residentMebibytes(service), envoy: residentMebibytes(envoy) };
}

/** Of this process, and of those that it starts. Source: proc(5), limits; Node raises its own to the hard one. */
function openFileLimit(): number {
  const line = /^Max open files +(\d+|unlimited) +(\d+|unlimited)/m.exec(readFileSync('/proc/self/limits', 'utf8'));
  const soft = line?.[1];
  return soft === undefined || soft === 'unlimited' ? Number.MAX_SAFE_INTEGER : Number(soft);
}

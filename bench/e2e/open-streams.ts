import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { residentMebibytes } from '../cpu.js';
import { KEY } from '../systems.js';
import { type Outcome, progress, type Stage } from './stage.js';
import { table, verdict } from './table.js';

const STREAMS = 10_000;
const START_RATE = 500;
const MOST_MEBIBYTES = 256;
/** Files that a process has open beside those of streams. */
const OTHER_FILES = 500;

/** Memory with 10,000 streams open at once, each with one event every ten seconds. */
export async function measureOpenStreams(stage: Stage): Promise<Outcome> {
  const wanted = stage.requests(STREAMS);
  // Envoy has two sockets for each.
  const possible = Math.floor((openFileLimit() - OTHER_FILES) / 2);
  const streams = Math.min(wanted, possible);
  const before = resident(stage);
  progress(`${streams} open streams`);
  const order = {
    port: stage.tollgate.port,
    key: KEY,
    model: `${stage.tollgate.prefix}open`,
    prompt: 150,
    stream: true,
  };
  const shape = { requests: streams, connections: streams, rate: START_RATE, hold: true };
  const { failed, firstByte } = await stage.load.run({ ...order, ...shape });
  await wait(2000);
  const open = resident(stage);
  await stage.load.run({
    ...order,
    stream: false,
    model: `${stage.tollgate.prefix}bench`,
    requests: 100,
    connections: 1,
  });
  await wait(2000);
  const after = resident(stage);
  const rows = (['service', 'envoy'] as const).map((part) => [
    part,
    `${before[part].toFixed(0)} MiB`,
    `${open[part].toFixed(0)} MiB`,
    `${(((open[part] - before[part]) * 1024) / streams).toFixed(1)} KiB`,
    `${after[part].toFixed(0)} MiB`,
    part === 'service' ? `${MOST_MEBIBYTES} MiB: ${verdict(open.service <= MOST_MEBIBYTES)}` : '–',
  ]);
  const notes = [
    `First byte p50 ${firstByte.p50.toFixed(1)} ms, p99 ${firstByte.p99.toFixed(1)} ms, at ${START_RATE} new streams per second.`,
    ...(failed > 0 ? [`${failed} streams failed.`] : []),
    ...(streams < wanted ? [`Not ${wanted}: a process may open ${openFileLimit()} files here (ulimit -n).`] : []),
  ];
  const columns = ['memory', 'before', 'open', 'for each stream', 'closed', 'at most'];
  const section = `### ${streams} open streams\n\n${table(columns, rows)}\n\n${notes.join('\n')}`;
  return { section, data: { streams, failed, before, open, after, firstByte } };
}

interface Resident {
  readonly service: number;
  readonly envoy: number;
}

function resident({ tollgate }: Stage): Resident {
  const { service = 0, envoy = 0 } = tollgate.parts();
  return { service: residentMebibytes(service), envoy: residentMebibytes(envoy) };
}

/** Of this process, and of those that it starts. Source: proc(5), limits; Node raises its own to the hard one. */
function openFileLimit(): number {
  const line = /^Max open files +(\d+|unlimited) +(\d+|unlimited)/m.exec(readFileSync('/proc/self/limits', 'utf8'));
  const soft = line?.[1];
  return soft === undefined || soft === 'unlimited' ? Number.MAX_SAFE_INTEGER : Number(soft);
}

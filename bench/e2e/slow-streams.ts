import { cpuOf, measure, type Sample } from '../compare.js';
import { median, residentMebibytes } from '../cpu.js';
import { progress } from '../progress.js';
import type { System } from '../systems.js';
import type { Outcome, Stage } from './stage.js';
import { table, verdict } from './table.js';

const STREAMS = 1000;
/** New streams per second: they spread over their common beat of 100 ms. */
const START_RATE = 490;
const LATE_MS = 5;

interface Slow extends Sample {
  /** Highest of the service, MiB. */
  readonly peak: number;
}

/** 1,000 streams of 100 events, 100 ms apart; each event says when it was sent. */
export async function measureSlowStreams(stage: Stage): Promise<Outcome> {
  const streams = stage.requests(STREAMS);
  const rounds = Math.min(stage.rounds, 2);
  const samples = new Map<System, Slow[]>([
    [stage.plain, []],
    [stage.tollgate, []],
  ]);
  for (let round = 0; round < rounds; round += 1) {
    for (const [system, taken] of samples) {
      progress(`${streams} slow streams, ${system.name}, round ${round + 1}`);
      taken.push(await once(stage, system, streams));
    }
  }
  const rows = [...samples].map(([system, taken]) => {
    const of = (pick: (sample: Slow) => number): number => median(taken.map(pick));
    const late = of(({ events }) => events?.p50 ?? Number.NaN);
    return [
      system.name,
      `${late.toFixed(2)} ms`,
      `${of(({ events }) => events?.p99 ?? Number.NaN).toFixed(2)} ms`,
      `${of(({ firstByte }) => firstByte).toFixed(2)} ms`,
      `${(of(cpuOf) / 1000).toFixed(1)} ms`,
      system === stage.tollgate ? `${of(({ peak }) => peak).toFixed(0)} MiB` : '–',
      system === stage.tollgate ? `${LATE_MS} ms: ${verdict(late <= LATE_MS)}` : '–',
    ];
  });
  const columns = ['', 'event late p50', 'p99', 'first byte p50', 'CPU per stream', 'service, peak', 'p50 at most'];
  const title = `### ${streams} slow streams (100 events, 100 ms apart), late against the provider's clock`;
  return {
    section: `${title}\n\n${table(columns, rows)}`,
    data: Object.fromEntries([...samples].map(([{ name }, taken]) => [name, taken])),
  };
}

async function once({ load }: Stage, system: System, streams: number): Promise<Slow> {
  const service = system.parts()['service'];
  let peak = 0;
  const watch = setInterval(() => {
    if (service !== undefined) peak = Math.max(peak, residentMebibytes(service));
  }, 250);
  try {
    const shape = { stream: true, prompt: 150, model: 'slow', connections: streams, rate: START_RATE };
    return { ...(await measure(load, system, { ...shape, name: 'slow streams', requests: streams })), peak };
  } finally {
    clearInterval(watch);
  }
}

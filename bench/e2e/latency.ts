import type { Sample, Scenario } from '../compare.js';
import { measure } from '../compare.js';
import { median } from '../cpu.js';
import { progress } from '../progress.js';
import { type Outcome, SMALL, type Stage } from './stage.js';
import { table, verdict } from './table.js';

const MOST = { p50: 0.6, p99: 3 };
const SECONDS = 4;
/** Requests of each shape, before anything is measured. */
const WARM_UP = 8_000;

const SHAPES: readonly Scenario[] = [
  { ...SMALL, name: 'small JSON' },
  { ...SMALL, name: 'stream of 30 events', stream: true, model: 'quick', requests: 1000 },
];
const TIMES: readonly (readonly [string, number, (sample: Sample) => number])[] = [
  ['first byte p50', MOST.p50, ({ firstByte }) => firstByte],
  ['first byte p99', MOST.p99, ({ firstByteP99 }) => firstByteP99],
  ['end p50', MOST.p50, ({ total }) => total],
  ['end p99', MOST.p99, ({ p99 }) => p99],
];

/** Both systems at a quarter of the rate at which Tollgate is saturated, requests by timetable. */
export async function measureLatency(stage: Stage): Promise<Outcome> {
  const rows: string[][] = [];
  const data: Record<string, object> = {};
  for (const shape of SHAPES) {
    for (const system of [stage.plain, stage.tollgate])
      await measure(stage.load, system, { ...shape, requests: stage.requests(WARM_UP) });
    const { rate: saturated } = await measure(stage.load, stage.tollgate, {
      ...shape,
      requests: stage.requests(shape.requests),
    });
    const rate = Math.max(10, Math.round(saturated / 4));
    progress(`${shape.name} at ${rate} of ${saturated.toFixed(0)} per second`);
    const requests = stage.requests(rate * SECONDS);
    const [plain = [], tollgate = []] = await stage.interleaved([stage.plain, stage.tollgate], () => ({
      ...shape,
      requests,
      rate,
      connections: 256,
    }));
    const behind = median([...plain, ...tollgate].map(({ generator }) => generator.behindMs));
    rows.push(...TIMES.map((time) => latencyRow(`${shape.name}, ${rate}/s`, time, [plain, tollgate])));
    data[shape.name] = { rate, saturated, behindMs: behind, plain, tollgate };
  }
  const columns = ['at a quarter of saturation', '', 'plain Envoy', 'Envoy + Tollgate', 'added', 'at most', 'met'];
  return { section: `### Added latency\n\n${table(columns, rows)}`, data };
}

function latencyRow(
  what: string,
  [name, most, pick]: (typeof TIMES)[number],
  [plain, tollgate]: readonly [readonly Sample[], readonly Sample[]],
): string[] {
  const [before, after] = [median(plain.map(pick)), median(tollgate.map(pick))];
  // In pairs, so that a busy moment is in both.
  const added = median(tollgate.map((sample, at) => pick(sample) - pick(plain[at] ?? sample)));
  const cells = [before, after, added].map((ms) => `${ms.toFixed(2)} ms`);
  return [what, name, ...cells, `${most} ms`, verdict(added <= most)];
}

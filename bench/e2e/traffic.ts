import { cpuOf, measure, type Sample, type Scenario } from '../compare.js';
import { median } from '../cpu.js';
import type { System } from '../systems.js';
import type { Outcome, Stage } from './stage.js';
import { SMALL } from './stage.js';

/** One row of the table: the same traffic on both systems. */
export interface Traffic {
  readonly title: string;
  /** Requests of one round, and how they come. */
  readonly load: Omit<Scenario, 'name'>;
  /** What Tollgate is asked instead, where it is not the same. */
  readonly asked?: Partial<Scenario>;
  /** The same as fast as it goes, before the first round: what comes slowly would be measured while its code is compiled. */
  readonly warmUp?: Partial<Scenario> & Pick<Scenario, 'requests'>;
  /** Multiples of plain Envoy's CPU: the most that is allowed, and the aim. */
  readonly most?: number;
  readonly aim?: number;
}

const PROMPT = { stream: false, prompt: 150 };
const WARM_STREAMS = { requests: 8_000, connections: 16, model: 'quick' };

export const TRAFFIC: Readonly<Record<string, Traffic>> = {
  small: { title: 'small JSON, 32 connections, saturated', load: SMALL, most: 5.5, aim: 4 },
  one: { title: 'small JSON, one at a time', load: { ...PROMPT, requests: 1000, connections: 1 } },
  stream30: {
    title: 'stream of 30 events, no pause, 16 at a time, saturated',
    load: { ...PROMPT, requests: 1600, connections: 16, stream: true, model: 'quick' },
    warmUp: WARM_STREAMS,
    most: 3.8,
    aim: 2.8,
  },
  stream100: {
    title: 'stream of 100 events 10 ms apart, 20 at a time',
    load: { ...PROMPT, requests: 80, connections: 20, stream: true },
    warmUp: WARM_STREAMS,
    most: 3,
    aim: 2.4,
  },
  body200: {
    title: '200 KB request body, 50 per second',
    load: { ...PROMPT, requests: 200, connections: 32, prompt: 200_000, rate: 50 },
    warmUp: { requests: 4_000, connections: 16 },
    most: 4,
    aim: 2.5,
  },
  badkey: {
    title: 'refused key, 400 per second',
    load: { ...PROMPT, requests: 1600, connections: 32, rate: 400 },
    warmUp: { requests: 20_000 },
    // After some wrong keys from one address the answer is 429.
    asked: { key: 'sk-bench-that-nobody-knows-0123456789', status: [401, 429] },
    most: 2.2,
    aim: 1.8,
  },
};

export const TRAFFIC_COLUMNS = [
  'traffic, µs of CPU per request',
  'plain Envoy',
  'Envoy',
  'service',
  'total',
  '× plain (spread)',
  'at most',
  'aim',
  'met',
  'end p50, plain → Tollgate',
  'requests/s',
];

/** @returns a row of the table, medians over the rounds; the multiple is that of the medians, its spread that of the rounds */
export async function runTraffic(stage: Stage, { title, load, asked, warmUp, most, aim }: Traffic): Promise<Outcome> {
  const scenario = { ...load, name: title, requests: stage.requests(load.requests) };
  const of = (system: System, what: Scenario): Scenario => (system === stage.tollgate ? { ...what, ...asked } : what);
  const systems = [stage.plain, stage.tollgate];
  if (warmUp) {
    const { rate: _asFastAsItGoes, ...fast } = scenario;
    const warm = { ...fast, ...warmUp, requests: stage.requests(warmUp.requests) };
    for (const system of systems) await measure(stage.load, system, of(system, warm));
  }
  const [plain = [], tollgate = []] = await stage.interleaved(systems, (system) => of(system, scenario));
  const base = medianOf(plain, cpuOf);
  const total = medianOf(tollgate, cpuOf);
  const multiple = total / base;
  const rounds = tollgate.map((sample, at) => cpuOf(sample) / cpuOf(plain[at] ?? sample));
  const [envoy, service] = ['envoy', 'service'].map((part) => medianOf(tollgate, ({ cpu }) => cpu[part] ?? 0));
  const row = [
    title,
    base.toFixed(0),
    (envoy ?? 0).toFixed(0),
    (service ?? 0).toFixed(0),
    total.toFixed(0),
    `${multiple.toFixed(2)} (${Math.min(...rounds).toFixed(1)}–${Math.max(...rounds).toFixed(1)})`,
    most === undefined ? '–' : `${most} ×`,
    aim === undefined ? '–' : `${aim} ×`,
    most === undefined ? '–' : multiple <= most ? 'yes' : 'no',
    `${medianOf(plain, ({ total: end }) => end).toFixed(2)} → ${medianOf(tollgate, ({ total: end }) => end).toFixed(2)} ms`,
    medianOf(tollgate, ({ rate }) => rate).toFixed(0),
  ];
  return { row, data: { plain: base, envoy, service, total, multiple, most, aim, rounds } };
}

function medianOf(samples: readonly Sample[], pick: (sample: Sample) => number): number {
  return median(samples.map(pick));
}

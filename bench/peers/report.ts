import { cpuOf, type Sample } from '../compare.js';
import { median } from '../cpu.js';
import type { Contender } from './contender.js';
import type { Samples } from './rounds.js';
import type { Traffic } from './traffic.js';

/** Whom the others are compared with, and whom latency is added to. */
export interface Yardsticks {
  readonly ours: Contender;
  /** The upstream without a gateway. */
  readonly direct: Contender;
}

/** What a peer's CPU must be at least, as a multiple of ours. */
export interface Target {
  readonly peer: Contender;
  readonly json: number;
  readonly stream: number;
}

/** A Markdown table of medians over the rounds: CPU, and for a fixed rate what is added to a direct request. */
export function printTable(traffic: Traffic, samples: Samples, yardsticks: Yardsticks): void {
  console.log(`\n### ${traffic.name}\n`);
  const rows = traffic.rate === null ? saturatedRows(samples, yardsticks) : pacedRows(traffic, samples, yardsticks);
  const [head = [], ...rest] = rows;
  console.log(line(head));
  console.log(line(head.map(() => '---')));
  for (const row of rest) console.log(line(row));
}

/** Ratios of CPU per request to ours. */
export function printTargets(targets: readonly Target[], json: Samples, stream: Samples, ours: Contender): void {
  console.log('\n### CPU of the peers as multiples of ours\n');
  console.log(line(['peer', 'JSON', 'aim, at least', 'stream of 30 events', 'aim, at least']));
  console.log(line(['---', '---', '---', '---', '---']));
  for (const { peer, ...aims } of targets) {
    const cells = (
      [
        ['json', json],
        ['stream', stream],
      ] as const
    ).flatMap(([kind, samples]) => {
      const ratio = cpu(samples, peer) / cpu(samples, ours);
      return [times(ratio), `${aims[kind]} × ${ratio >= aims[kind] ? '(met)' : '(missed)'}`];
    });
    console.log(line([peer.system.name, ...cells]));
  }
}

function saturatedRows(samples: Samples, { ours }: Yardsticks): string[][] {
  const base = cpu(samples, ours);
  const rows = [...samples].map(([contender, taken]) => [
    contender.system.name,
    micros(cpu(samples, contender)),
    times(cpu(samples, contender) / base),
    spread(taken.map(cpuOf)),
    middle(taken, (sample) => sample.rate).toFixed(0),
    millis(middle(taken, (sample) => sample.firstByte)),
    millis(middle(taken, (sample) => sample.total)),
    millis(middle(taken, (sample) => sample.p99)),
  ]);
  return [
    ['system', 'CPU/request', '× ours', 'lowest–highest', 'requests/s', 'first byte p50', 'end p50', 'end p99'],
    ...rows,
  ];
}

/** A figure whose excess over a direct request is shown. */
interface Latency {
  readonly name: string;
  readonly of: (sample: Sample) => number;
}

const END: readonly Latency[] = [
  { name: 'p50', of: (sample) => sample.total },
  { name: 'p99', of: (sample) => sample.p99 },
];
const FIRST_BYTE: readonly Latency[] = [
  { name: 'first byte p50', of: (sample) => sample.firstByte },
  { name: 'first byte p99', of: (sample) => sample.firstByteP99 },
];

function pacedRows({ stream }: Traffic, samples: Samples, { ours, direct }: Yardsticks): string[][] {
  const latencies = stream
    ? [...FIRST_BYTE, ...END.map((latency) => ({ ...latency, name: `end ${latency.name}` }))]
    : END;
  const added = (contender: Contender, { of }: Latency): number => {
    const without = samples.get(direct) ?? [];
    const taken = samples.get(contender) ?? [];
    return median(taken.map((sample, round) => of(sample) - of(without[round] ?? sample)));
  };
  const rows = [...samples].map(([contender, taken]) => {
    if (contender === direct) {
      return [
        contender.system.name,
        '–',
        '–',
        ...latencies.flatMap(({ of }) => [`(${millis(middle(taken, of))})`, '–']),
      ];
    }
    const cells = latencies.flatMap((latency) => {
      const own = added(contender, latency);
      const base = added(ours, latency);
      return [millis(own), own > 0 && base > 0 ? times(own / base) : '–'];
    });
    return [
      contender.system.name,
      micros(cpu(samples, contender)),
      times(cpu(samples, contender) / cpu(samples, ours)),
      ...cells,
    ];
  });
  const heads = latencies.flatMap(({ name }) => [`added ${name}`, '× ours']);
  return [['system', 'CPU/request', '× ours', ...heads], ...rows];
}

function cpu(samples: Samples, contender: Contender): number {
  return middle(samples.get(contender) ?? [], cpuOf);
}

function middle(samples: readonly Sample[], of: (sample: Sample) => number): number {
  return median(samples.map(of));
}

function spread(values: readonly number[]): string {
  return `${Math.min(...values).toFixed(0)}–${Math.max(...values).toFixed(0)}`;
}

const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
const micros = (value: number): string => `${value.toFixed(0)} µs`;
const millis = (value: number): string => `${value.toFixed(2)} ms`;
const times = (value: number): string => `${value.toFixed(value < 10 ? 2 : 1)}`;

import type { Figures, Sums } from './figures.js';

/** The figures as text: what was sent, then a line for each class of ending. */
export function renderFigures(figures: Figures): string {
  const { sent, reached, left, failovers, missing, double, unfounded, unread, truncated, statuses } = figures;
  const head = [
    `sent ${sent} (${Object.entries(statuses)
      .map(([status, count]) => `${status}: ${count}`)
      .join(', ')})`,
    `reached a provider ${reached}, left by the client ${left} (${percent(left / reached)}), failed over ${failovers} (${percent(failovers / reached)})`,
    `entries missing ${missing}, double ${double}, without ground ${unfounded}, of clients that left before the provider had read them ${unread}; answers truncated ${truncated}`,
  ];
  const rows = [...Object.entries(figures.endings), ['all but whole', figures.cut] as const].map(([name, sums]) =>
    rowOf(name, sums),
  );
  return [...head, '', ...aligned([HEADINGS, ...rows])].join('\n');
}

const HEADINGS = [
  'ending',
  'requests',
  'settle',
  'estimate',
  'void',
  'input: provider',
  'ledger',
  'output: provider',
  'ledger',
  'ratio of money',
  'below',
  'missing money',
];

function rowOf(name: string, sums: Sums): string[] {
  return [
    name,
    ...[sums.requests, sums.settle, sums.estimate, sums.void, sums.provider_input, sums.ledger_input].map(String),
    ...[sums.provider_output, sums.ledger_output].map(String),
    ratioOf(sums)?.toFixed(4) ?? '–',
    String(sums.below),
    sums.provider_nano_usd === 0 ? '–' : percent(sums.below_nano_usd / sums.provider_nano_usd),
  ];
}

/** The ledger's money ÷ that of the provider's count; null when there is none. */
export function ratioOf(sums: Sums): number | null {
  return sums.provider_nano_usd === 0 ? null : sums.ledger_nano_usd / sums.provider_nano_usd;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(2)} %`;
}

function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  return rows.map((row) =>
    row.map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0))).join('  '),
  );
}

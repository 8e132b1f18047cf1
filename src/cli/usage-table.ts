import type { UsageRow } from '../accounting/records/usage-report.js';
import { dollars } from '../accounting/reports/dollars.js';
import {
  cachedTokens,
  costNano,
  inputTokens,
  outputTokens,
  type UsageView,
} from '../accounting/reports/usage-figures.js';

const FIGURES = ['REQUESTS', 'ERRORS', 'INPUT', 'CACHED', 'OUTPUT', 'COST', 'UNPRICED', 'ESTIMATED'] as const;

/** An aligned table with a line of totals: names left, figures right, cost in dollars. */
export function usageTable(view: UsageView): string {
  if (view.rows.length === 0) return emptyText(view);
  const body = view.rows.map((row) => [...view.by.map((name) => String(row[name] ?? '') || '-'), ...figures([row])]);
  const names = view.by.map((name) => name.toUpperCase());
  const total = ['TOTAL', ...names.slice(1).map(() => ''), ...figures(view.rows)];
  const lines = [[...names, ...FIGURES], ...body, ...(view.by.length > 0 && body.length > 1 ? [total] : [])];
  const widths = lines[0]?.map((_, column) => Math.max(...lines.map((cells) => cells[column]?.length ?? 0))) ?? [];
  const pad = (cell: string, column: number) =>
    column < names.length ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0);
  return lines.map((cells) => `${cells.map(pad).join('  ').trimEnd()}\n`).join('');
}

/** Sums over the rows. */
function figures(rows: readonly UsageRow[]): string[] {
  const sum = (read: (row: UsageRow) => number) => grouped(rows.reduce((total, row) => total + read(row), 0));
  return [
    sum((row) => row.requests),
    sum((row) => row.errors),
    sum(inputTokens),
    sum(cachedTokens),
    sum(outputTokens),
    costOf(rows),
    sum((row) => row.unpriced_requests),
    sum((row) => row.estimated_requests),
  ];
}

/** What is known, and that something is not: never a sum that passes for the whole. */
function costOf(rows: readonly UsageRow[]): string {
  const known = rows.reduce((total, row) => total + costNano(row), 0n);
  const whole = rows.every((row) => row.cost_nano_usd !== null && row.unpriced_requests === 0);
  if (whole) return `$${dollars(known)}`;
  return known === 0n ? 'unknown' : `$${dollars(known)} + unknown`;
}

function emptyText({ from, to }: UsageView): string {
  const since = from === null ? '' : ` since ${new Date(from).toISOString()}`;
  const until = to === null ? '' : ` before ${new Date(to).toISOString()}`;
  return `No requests yet${since}${until}. They appear here as soon as the first one has finished.\n`;
}

function grouped(count: number): string {
  return Math.round(count).toLocaleString('en-US');
}

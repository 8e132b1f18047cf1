import type { UsageRow } from '../accounting/records/usage-report.js';

/** What a printed report is about. */
export interface UsageView {
  readonly rows: readonly UsageRow[];
  readonly by: readonly string[];
  /** Epoch milliseconds; null = open. */
  readonly from: number | null;
  readonly to: number | null;
  /** Now, epoch milliseconds. */
  readonly now: number;
}

/** Tokens that went in, caches included. */
export function inputTokens({ usage }: UsageRow): number {
  const fresh = (usage.input ?? 0) + (usage.input_audio ?? 0) + (usage.input_image ?? 0);
  return fresh + (usage.cache_read ?? 0) + (usage.cache_write_5m ?? 0) + (usage.cache_write_1h ?? 0);
}

/** Of these, read from a cache. */
export function cachedTokens({ usage }: UsageRow): number {
  return usage.cache_read ?? 0;
}

/** Tokens that came out, reasoning included. */
export function outputTokens({ usage }: UsageRow): number {
  return (usage.output ?? 0) + (usage.reasoning ?? 0) + (usage.output_audio ?? 0);
}

/** Nano-dollars as dollars, exact, at least two decimals and no zeros after them: `0.00125`, `12.50`. */
export function dollars(nano: number): string {
  const digits = Math.round(nano).toString().padStart(10, '0');
  const fraction = digits.slice(-9).replace(/0{1,7}$/, '');
  return `${digits.slice(0, -9)}.${fraction}`;
}

/** One line of RFC 4180; cells that a spreadsheet would run as a formula are defused. */
export function csvLine(cells: readonly (string | number)[]): string {
  return `${cells.map(csvCell).join(',')}\r\n`;
}

function csvCell(cell: string | number): string {
  const text = typeof cell === 'string' && /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : String(cell);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

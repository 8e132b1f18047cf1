import type { UsageRow } from '../records/usage-report.js';
import { dollars, nanoDollars } from './dollars.js';

/** What a printed report is about. */
export interface UsageView {
  readonly rows: readonly UsageRow[];
  readonly by: readonly string[];
  /** Epoch milliseconds; null = open. */
  readonly from: number | null;
  readonly to: number | null;
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

/** Dollars of what could be priced, exact; null when nothing of what was used could be. */
export function costText(row: UsageRow): string | null {
  return row.cost_usd ?? (row.cost_nano_usd === null ? null : dollars(row.cost_nano_usd));
}

/** The same in nano-dollars; 0 when unknown. */
export function costNano(row: UsageRow): bigint {
  const text = costText(row);
  return text === null ? 0n : nanoDollars(text);
}

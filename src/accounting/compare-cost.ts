import type { FinalEntry } from './ledger/entry.js';

/** Providers round, and so do we: this much apart is still the same. */
const TOLERANCE = 0.01;
/** Nano-dollars: one for each side's rounding. */
const ROUNDING = 2;

export interface CostComparison {
  /** What the provider states ÷ what we booked; null when we booked nothing and it states something. */
  readonly ratio: number | null;
  readonly agreement: 'equal' | 'provider_more' | 'provider_less';
}

/** What the provider itself said that it charges, beside our own calculation; null when one of them is missing. */
export function compareCost(entry: Pick<FinalEntry, 'cost_nano_usd' | 'stated_cost_nano_usd'>): CostComparison | null {
  const { cost_nano_usd: ours, stated_cost_nano_usd: stated } = entry;
  if (ours === null || stated === undefined) return null;
  const ratio = ours === 0 ? (stated === 0 ? 1 : null) : stated / ours;
  const difference = stated - ours;
  const close = Math.abs(difference) <= Math.max(ROUNDING, ours * TOLERANCE);
  return { ratio, agreement: close ? 'equal' : difference > 0 ? 'provider_more' : 'provider_less' };
}

import { amountIn } from './json-value.js';

/** A whole number of tokens or units, as a provider stated it; null when it stated none. */
export function statedAmount(from: unknown, key: string): number | null {
  const amount = amountIn(from, key);
  return amount === null ? null : Math.min(Math.floor(amount), Number.MAX_SAFE_INTEGER);
}

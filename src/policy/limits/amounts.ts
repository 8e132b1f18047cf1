import type { Amounts, Dimension } from '../../store/counter-store.js';

export const NO_AMOUNTS: Amounts = Object.freeze({
  requests: 0,
  input_tokens: 0,
  output_tokens: 0,
  tokens: 0,
  cost: 0,
});

export function addAmounts(one: Amounts, other: Amounts): Amounts {
  return {
    requests: one.requests + other.requests,
    input_tokens: one.input_tokens + other.input_tokens,
    output_tokens: one.output_tokens + other.output_tokens,
    tokens: one.tokens + other.tokens,
    cost: one.cost + other.cost,
  };
}

/** What a counter of this dimension gets; a running request counts as one. */
export function amountOf(of: Dimension, amounts: Amounts): number {
  return of === 'concurrent' ? 1 : amounts[of];
}

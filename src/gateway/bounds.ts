import { costOf } from '../accounting/cost.js';
import { emptyUsage } from '../dialects/usage.js';
import type { Amounts } from '../store/counter-store.js';
import type { Admitted, RequestState } from './state.js';

/** `cost` null: a target has no known price. */
export type Bounds = Omit<Amounts, 'cost'> & { readonly cost: number | null };

/** The most that the request can use: priced at the dearest target of its list (design 6.8). */
export function boundsOf(state: RequestState, admitted: Admitted): Bounds {
  const { facts } = admitted;
  const input = facts.inputTokensUpper;
  const output = facts.choices * (facts.maxOutputTokens ?? admitted.outputCap);
  const usage = { ...emptyUsage(), input, output };
  let cost: number | null = 0;
  for (const target of new Set(admitted.plan)) {
    const price = state.rules.prices.find(target, state.arrivedAt);
    const total = price === null ? null : costOf(usage, price).total;
    cost = total === null || cost === null ? null : Math.max(cost, total);
  }
  return { requests: 1, input_tokens: input, output_tokens: output, tokens: input + output, cost };
}

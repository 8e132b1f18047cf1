import type { Amounts } from '../store/counter-store.js';
import type { FinalEntry } from './ledger/entry.js';

/**
 * What a finished request counts in its limits: one admitted request whatever became of it; input with what was read from or
 * written to caches, output with reasoning; nothing for a cost that is unknown. Source: design 1.4 and 6.8.
 */
export function amountsOf(entry: Pick<FinalEntry, 'usage' | 'cost_nano_usd'>): Amounts {
  const { usage } = entry;
  const input =
    (usage.input ?? 0) +
    (usage.cache_read ?? 0) +
    (usage.cache_write_5m ?? 0) +
    (usage.cache_write_1h ?? 0) +
    (usage.input_audio ?? 0) +
    (usage.input_image ?? 0);
  const output = (usage.output ?? 0) + (usage.reasoning ?? 0) + (usage.output_audio ?? 0);
  const cost = entry.cost_nano_usd ?? 0;
  return { requests: 1, input_tokens: input, output_tokens: output, tokens: input + output, cost };
}

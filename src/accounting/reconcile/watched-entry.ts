import { amountsOf } from '../amounts.js';
import type { FinalEntry } from '../ledger/entry.js';

/** What is kept of a final entry until Envoy's line about it comes: whole entries would be garbage that has grown old. */
export interface WatchedEntry
  extends Pick<
    FinalEntry,
    'id' | 'type' | 'target' | 'endpoint' | 'stream' | 'status' | 'code' | 'usage_source' | 'cache'
  > {
  readonly attempts: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly recovered: boolean;
}

export function watchedEntry(entry: FinalEntry): WatchedEntry {
  const { input_tokens, output_tokens } = amountsOf(entry);
  return {
    id: entry.id,
    type: entry.type,
    target: entry.target,
    endpoint: entry.endpoint,
    stream: entry.stream,
    status: entry.status,
    code: entry.code,
    usage_source: entry.usage_source,
    cache: entry.cache,
    attempts: entry.attempts.length,
    inputTokens: input_tokens,
    outputTokens: output_tokens,
    recovered: entry.recovered === true,
  };
}

import { isObject, type JsonObject, objectIn } from '../json-value.js';
import { statedAmount } from '../stated-amount.js';
import { emptyUsage, type Usage } from '../usage.js';

/** Where AWS puts its own counts, on the last event of a stream. */
export const INVOCATION_METRICS = 'amazon-bedrock-invocationMetrics';

/**
 * Anthropic's `usage` object as classes that never overlap; null when it states no amount. Input leaves out the cache,
 * output includes thinking. Also reads the names of AWS' metrics and of Amazon's own models.
 * https://platform.claude.com/docs/en/build-with-claude/prompt-caching#tracking-cache-performance
 */
export function normaliseMessagesUsage(usage: JsonObject): Usage | null {
  const input = first(usage, ['input_tokens', 'inputTokens', 'inputTokenCount']);
  const output = first(usage, ['output_tokens', 'outputTokens', 'outputTokenCount']);
  if (input === null && output === null) return null;
  const writes = cacheWrites(usage);
  const thinking = statedAmount(objectIn(usage, 'output_tokens_details'), 'thinking_tokens') ?? 0;
  const reasoning = Math.min(thinking, output ?? 0);
  return {
    ...emptyUsage(),
    input: input ?? 0,
    cache_read: first(usage, ['cache_read_input_tokens', 'cacheReadInputTokens', 'cacheReadInputTokenCount']) ?? 0,
    cache_write_5m: writes.fiveMinutes,
    cache_write_1h: writes.hour,
    output: (output ?? 0) - reasoning,
    reasoning,
    search_units: statedAmount(objectIn(usage, 'server_tool_use'), 'web_search_requests') ?? 0,
  };
}

/** The sum is the truth: events that update it do not always repeat how it splits. */
function cacheWrites(usage: JsonObject): { readonly fiveMinutes: number; readonly hour: number } {
  const split = objectIn(usage, 'cache_creation');
  const short = statedAmount(split, 'ephemeral_5m_input_tokens') ?? 0;
  const long = statedAmount(split, 'ephemeral_1h_input_tokens') ?? 0;
  const names = ['cache_creation_input_tokens', 'cacheWriteInputTokens', 'cacheWriteInputTokenCount'];
  const total = first(usage, names) ?? short + long;
  const hour = Math.min(long, total);
  return { fiveMinutes: total - hour, hour };
}

function first(usage: JsonObject, names: readonly string[]): number | null {
  for (const name of names) {
    const amount = statedAmount(usage, name);
    if (amount !== null) return amount;
  }
  return null;
}

/**
 * Keeps the last usage that an answer stated, field by field: `message_start` states it all, `message_delta` repeats what has
 * changed. Nothing is ever summed.
 */
export class MessagesUsageKeeper {
  #stated: JsonObject = {};
  #usage: Usage | null = null;

  /** Takes a `usage` object; anything else changes nothing. True when it was one. */
  take(stated: unknown): boolean {
    if (!isObject(stated)) return false;
    const news = Object.entries(stated).filter(([, value]) => value !== null && value !== undefined);
    this.#stated = { ...this.#stated, ...Object.fromEntries(news) };
    this.#usage = normaliseMessagesUsage(this.#stated) ?? this.#usage;
    return true;
  }

  /** Null while nothing was stated. */
  get usage(): Usage | null {
    return this.#usage;
  }
}

import { type JsonObject, listIn, stringIn } from '../json-value.js';
import { statedAmount } from '../stated-amount.js';
import { emptyUsage, type Usage } from '../usage.js';

/**
 * Converse's `usage` as classes that never overlap; null when it states no amount. Input leaves out what the cache was read
 * and written for; output includes reasoning, which is not told apart.
 * https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_TokenUsage.html
 */
export function normaliseConverseUsage(usage: JsonObject): Usage | null {
  const input = statedAmount(usage, 'inputTokens');
  const output = statedAmount(usage, 'outputTokens');
  if (input === null && output === null) return null;
  // The same counts may stand under two names.
  const read = statedAmount(usage, 'cacheReadInputTokens') ?? statedAmount(usage, 'cacheReadInputTokenCount') ?? 0;
  const written = statedAmount(usage, 'cacheWriteInputTokens') ?? statedAmount(usage, 'cacheWriteInputTokenCount');
  const hour = writtenFor(usage, '1h');
  const total = written ?? hour + writtenFor(usage, '5m');
  return {
    ...emptyUsage(),
    input: input ?? 0,
    cache_read: read,
    cache_write_5m: total - Math.min(hour, total),
    cache_write_1h: Math.min(hour, total),
    output: output ?? 0,
  };
}

function writtenFor(usage: JsonObject, ttl: '5m' | '1h'): number {
  const details = listIn(usage, 'cacheDetails').filter((detail) => stringIn(detail, 'ttl') === ttl);
  return details.reduce<number>((sum, detail) => sum + (statedAmount(detail, 'inputTokens') ?? 0), 0);
}

import type { AccessLogFacts } from '../access-log.js';
import type { TokenWidths } from '../recovery/token-widths.js';
import type { WatchedEntry } from './watched-entry.js';

/** Learns from a pair of line and final entry: a whole good answer whose usage the provider stated. */
export function observePair(widths: TokenWidths, line: AccessLogFacts, entry: WatchedEntry): void {
  if (entry.type !== 'settle' || entry.usage_source !== 'provider' || entry.cache === 'hit' || entry.recovered) return;
  if (entry.target === null || entry.status !== 200 || line.status !== 200 || line.flags.length > 0) return;
  const { target, endpoint, stream, inputTokens, outputTokens } = entry;
  widths.observe(
    { target, endpoint, stream },
    { request: [line.bytes_received, inputTokens], answer: [line.bytes_sent, outputTokens] },
  );
}

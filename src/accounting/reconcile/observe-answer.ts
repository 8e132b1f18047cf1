import type { AccessLogFacts } from '../access-log.js';
import type { AnswerWidths } from '../recovery/answer-widths.js';
import type { WatchedEntry } from './watched-entry.js';

/** Learns from a pair of line and final entry: a whole good answer whose usage the provider stated. */
export function observeAnswer(widths: AnswerWidths, line: AccessLogFacts, entry: WatchedEntry): void {
  if (entry.type !== 'settle' || entry.usage_source !== 'provider' || entry.cache === 'hit' || entry.recovered) return;
  if (entry.target === null || entry.status !== 200 || line.status !== 200 || line.flags.length > 0) return;
  const { target, endpoint, stream, outputTokens: tokens } = entry;
  if (tokens > 0 && line.bytes_sent > 0) widths.observe({ target, endpoint, stream }, [line.bytes_sent, tokens]);
}

import type { AccessLogLine } from '../access-log.js';
import type { HoldEntry } from '../ledger/entry.js';
import type { RequestKind, TokenWidths } from './token-widths.js';

/**
 * Bytes on the wire for each output token the provider stated: medians over recorded answers of at least 20 output tokens
 * (36 chat streams, 41 chat answers, 21 Responses streams, 7 Responses answers, 3 completions). A stream wraps every few
 * tokens in an event of its own, which is why it is ten times as wide. The middle half lies between half and twice the median.
 */
const BYTES_PER_TOKEN: Readonly<Record<string, { readonly stream: number; readonly whole: number }>> = {
  '/v1/chat/completions': { stream: 130, whole: 11 },
  '/v1/completions': { stream: 230, whole: 90 },
  '/v1/responses': { stream: 235, whole: 28 },
  '/v1/messages': { stream: 52, whole: 9 },
};

/**
 * The least that a usage chunk takes (`data: {"id":…,"choices":[],"usage":{…}}`): once nobody takes it out, so many bytes of the
 * answer are none of its tokens'.
 */
const LEAST_USAGE_CHUNK = 150;

/** Median output of the same recordings: what an answer that nobody saw is booked at. */
const TYPICAL_OUTPUT = 50;

/** Output tokens of an answer from the bytes that went to the client; 0 for endpoints that do not bill output tokens. */
export function outputTokensOf(
  hold: HoldEntry,
  target: string,
  { line, widths }: { readonly line: AccessLogLine; readonly widths: TokenWidths | undefined },
): number {
  const width = BYTES_PER_TOKEN[hold.endpoint];
  if (!width || line.bytes_sent === 0) return 0;
  const cut = line.flags.length > 0;
  const hidden = hold.hides_usage === true && !cut ? LEAST_USAGE_CHUNK : 0;
  const bytes = Math.max(1, line.bytes_sent - hidden);
  const learned = widths?.outputTokens(kindOf(hold, target), bytes, cut) ?? null;
  return learned ?? Math.ceil(bytes / (hold.stream ? width.stream : width.whole));
}

/** Output tokens when there is not even a line about the request. */
export function outputTokensUnseen(hold: HoldEntry, target: string, widths: TokenWidths | undefined): number {
  if (!BYTES_PER_TOKEN[hold.endpoint]) return 0;
  return widths?.longAnswer(kindOf(hold, target)) ?? TYPICAL_OUTPUT;
}

function kindOf({ endpoint, stream }: HoldEntry, target: string): RequestKind {
  return { target, endpoint, stream };
}

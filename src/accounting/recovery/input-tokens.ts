import type { AccessLogLine } from '../access-log.js';
import { bytesToTokens } from '../estimate.js';
import type { HoldEntry } from '../ledger/entry.js';
import type { TokenWidths } from './token-widths.js';

/** Input tokens of a request that nobody counted, from the bytes that the client sent. */
export function inputTokensOf(
  { endpoint, stream, input_tokens: most }: HoldEntry,
  target: string,
  { line, widths }: { readonly line: AccessLogLine; readonly widths: TokenWidths | undefined },
): number {
  const bytes = line.bytes_received;
  // Of a body that is mostly an image bytes say nothing, but the hold's bound knows what it is.
  return Math.min(widths?.inputTokens({ target, endpoint, stream }, bytes) ?? bytesToTokens(bytes), most);
}

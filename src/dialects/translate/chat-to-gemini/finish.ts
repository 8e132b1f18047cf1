const FILTERED: ReadonlySet<string> = new Set([
  'SAFETY',
  'RECITATION',
  'BLOCKLIST',
  'PROHIBITED_CONTENT',
  'SPII',
  'IMAGE_SAFETY',
  'IMAGE_PROHIBITED_CONTENT',
  'IMAGE_RECITATION',
]);
/** Words that OpenAI's say as much as. */
const PLAIN: ReadonlySet<string> = new Set(['STOP', 'MAX_TOKENS', 'SAFETY']);

/**
 * Google's reason in OpenAI's words.
 * @param calls the candidate calls functions: Google says STOP then, too
 */
export function finishOf(reason: string, calls: boolean): string {
  if (reason === 'MAX_TOKENS') return 'length';
  if (FILTERED.has(reason)) return 'content_filter';
  return calls ? 'tool_calls' : 'stop';
}

/** Google's own word where OpenAI's hides something: a call that could not be read, a call of no function. As OpenRouter names it. */
export function nativeFinish(reason: string): { native_finish_reason?: string } {
  return PLAIN.has(reason) ? {} : { native_finish_reason: reason };
}

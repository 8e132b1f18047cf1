import type { JsonObject } from '../../json-value.js';
import { stringIn } from '../../json-value.js';
import type { TranslationContext } from '../translation.js';
import { blocksOf, collapsed } from './blocks.js';
import { partsOf, refuseBlock } from './parts.js';

/**
 * Claude Code's first line of every system prompt: who is billed, with a number that changes with every request. It is addressed
 * to Anthropic, and in front of a prompt it keeps every other provider from caching any of it (anthropics/claude-code#68900).
 */
const BILLING_LINE = /^x-anthropic-billing-header:[^\n]*\n?/;

/** A system prompt, of the request or of one of its messages, as messages: none when it says nothing. */
export function systemMessages(content: unknown, context: TranslationContext): readonly JsonObject[] {
  const parts = blocksOf(content, 'system').flatMap((block) => {
    if (block['type'] !== 'text') return refuseBlock(stringIn(block, 'type') ?? '', context);
    const text = stringIn(block, 'text') ?? '';
    return partsOf({ ...block, text: text.replace(BILLING_LINE, '') }, context);
  });
  return parts.length === 0 ? [] : [{ role: 'system', content: collapsed(parts, '\n\n') }];
}

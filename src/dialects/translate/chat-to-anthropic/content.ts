import { isObject, type JsonObject, stringIn } from '../../json-value.js';
import { CACHE_CONTROL } from '../hub.js';
import type { Losses } from '../losses.js';
import { fileBlock, imageBlock } from './media.js';

type PartHandler = (part: JsonObject, losses: Losses) => JsonObject | null;

/** Content parts by type; null = nothing to send. */
const PARTS: ReadonlyMap<string, PartHandler> = new Map<string, PartHandler>([
  ['text', (part) => textBlock(part['text'])],
  ['refusal', (part) => textBlock(part['refusal'])],
  ['image_url', imageBlock],
  ['file', fileBlock],
  ['document', (part) => part],
  ['input_audio', (_part, losses) => losses.refuse('messages[].content[].input_audio', 'it does not hear audio')],
]);

/** Text, or null where Anthropic would refuse the block: it wants at least one character that is no space. */
export function textBlock(text: unknown): JsonObject | null {
  return typeof text === 'string' && text.trim() !== '' ? { type: 'text', text } : null;
}

/** A message's `content` as blocks: a string, or a list of parts with their cache breakpoints. */
export function contentBlocks(content: unknown, losses: Losses): readonly JsonObject[] {
  if (typeof content === 'string') return listOf(textBlock(content));
  if (!Array.isArray(content)) return [];
  return content.flatMap((part) => {
    if (typeof part === 'string') return listOf(textBlock(part));
    return isObject(part) ? listOf(partBlock(part, losses)) : [];
  });
}

function partBlock(part: JsonObject, losses: Losses): JsonObject | null {
  const handler = PARTS.get(stringIn(part, 'type') ?? 'text');
  if (handler === undefined) return losses.refuse('messages[].content[].type', 'it does not take parts of this type');
  const block = handler(part, losses);
  return block === null ? null : withCacheControl(block, part[CACHE_CONTROL]);
}

/** The block with a cache breakpoint, where one was given. */
export function withCacheControl(block: JsonObject, cacheControl: unknown): JsonObject {
  return isObject(cacheControl) ? { ...block, [CACHE_CONTROL]: cacheControl } : block;
}

export function listOf(block: JsonObject | null): readonly JsonObject[] {
  return block === null ? [] : [block];
}

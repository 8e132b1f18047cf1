import { isObject, type JsonObject } from '../../json-value.js';
import { CACHE_CONTROL } from '../hub.js';
import { unsupported } from '../losses.js';
import type { TranslationContext } from '../translation.js';

/** Members that say nothing to anybody but the one who wrote them. */
const SILENT: ReadonlySet<string> = new Set(['type', CACHE_CONTROL]);

/** Content as blocks: a string is one block of text. Throws where it is neither. */
export function blocksOf(content: unknown, field: string): readonly JsonObject[] {
  if (typeof content === 'string') return [{ type: 'text', text: content }];
  if (Array.isArray(content) && content.every(isObject)) return content;
  throw unsupported(field, `"${field}" must be a text or a list of blocks.`);
}

/** The block's hint about caching where the reader knows it. A hint changes the price, not the answer: one name for all of them. */
export function cacheControl(block: JsonObject, { extended, losses }: TranslationContext): JsonObject {
  const hint = block[CACHE_CONTROL];
  if (!isObject(hint)) return {};
  if (extended) return { [CACHE_CONTROL]: hint };
  losses.drop(CACHE_CONTROL);
  return {};
}

/** Names every member that nobody has read. */
export function dropRest(
  from: JsonObject,
  known: ReadonlySet<string>,
  path: string,
  context: TranslationContext,
): void {
  for (const [name, value] of Object.entries(from)) {
    if (value === null || value === false || SILENT.has(name) || known.has(name)) continue;
    context.losses.drop(`${path}.${name}`);
  }
}

/** A single text where the parts are nothing else, because many servers want a string; else the parts. */
export function collapsed(parts: readonly JsonObject[], separator: string): string | readonly JsonObject[] {
  const plain = parts.every((part) => part['type'] === 'text' && part[CACHE_CONTROL] === undefined);
  return plain ? parts.map((part) => part['text']).join(separator) : parts;
}

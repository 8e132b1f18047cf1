import { isObject, type JsonObject, stringIn } from '../../json-value.js';
import { REASONING, THINKING_BLOCKS } from '../hub.js';
import type { TranslationContext } from '../translation.js';
import { blocksOf, cacheControl, collapsed, dropRest } from './blocks.js';
import { CONTENT, partsOf, refuseBlock } from './parts.js';
import { splitId } from './signed-id.js';
import type { ToolNames } from './tool-names.js';

const TEXTS: ReadonlySet<string> = new Set(['text', 'compaction']);
const THOUGHTS: ReadonlySet<string> = new Set(['thinking', 'redacted_thinking']);

/** An assistant's turn as one message; none when nothing of it is left that the provider could read. */
export function assistantMessages(
  content: unknown,
  names: ToolNames,
  context: TranslationContext,
): readonly JsonObject[] {
  const blocks = blocksOf(content, 'messages[].content');
  for (const block of blocks) refuseForeign(block, context);
  const parts = blocks.filter((block) => TEXTS.has(typeOf(block))).flatMap((block) => partsOf(block, context));
  const uses = blocks.filter((block) => typeOf(block) === 'tool_use');
  const thoughts = thoughtMembers(blocks, context);
  if (parts.length === 0 && uses.length === 0 && Object.keys(thoughts).length === 0) return [];
  const message = {
    role: 'assistant',
    content: parts.length === 0 ? null : collapsed(parts, ''),
    ...thoughts,
    ...(uses.length === 0 ? {} : { tool_calls: uses.map((use) => toolCall(use, names, context)) }),
  };
  const hints = uses.map((use) => cacheControl(use, context));
  return [{ ...message, ...hints.at(-1) }];
}

function typeOf(block: JsonObject): string {
  return stringIn(block, 'type') ?? '';
}

function refuseForeign(block: JsonObject, context: TranslationContext): void {
  const type = typeOf(block);
  if (!TEXTS.has(type) && !THOUGHTS.has(type) && type !== 'tool_use') refuseBlock(type, context);
}

/**
 * Earlier thoughts. They bind only the model that had them: a translation behind this one gets the blocks with their signatures,
 * a provider that wants the text back gets the text, and any other gets nothing. OpenAI refuses unknown members, and to another
 * model foreign thoughts mean nothing, so this is no loss to warn of.
 */
function thoughtMembers(blocks: readonly JsonObject[], context: TranslationContext): JsonObject {
  const thoughts = blocks.filter((block) => THOUGHTS.has(typeOf(block)));
  const text = thoughts.map((block) => stringIn(block, 'thinking') ?? '').join('');
  const reasoning = text === '' ? {} : { [REASONING]: text };
  if (!context.extended) return context.echoesReasoning === true ? reasoning : {};
  // Without a signature they are another model's, which those that check signatures would refuse.
  const signed = thoughts.filter((block) => typeOf(block) !== 'thinking' || stringIn(block, 'signature'));
  return signed.length === 0 ? reasoning : { ...reasoning, [THINKING_BLOCKS]: signed };
}

const USE_MEMBERS: ReadonlySet<string> = new Set(['id', 'name', 'input', 'caller']);

function toolCall(use: JsonObject, names: ToolNames, context: TranslationContext): JsonObject {
  dropRest(use, USE_MEMBERS, CONTENT, context);
  const { id, signature } = splitId(stringIn(use, 'id') ?? '');
  const extra = context.extended && signature !== null;
  const input = isObject(use['input']) ? use['input'] : {};
  return {
    id,
    type: 'function',
    function: {
      name: names.shortened(stringIn(use, 'name') ?? ''),
      arguments: JSON.stringify(input),
    },
    ...(extra ? { extra_content: { google: { thought_signature: signature } } } : {}),
  };
}

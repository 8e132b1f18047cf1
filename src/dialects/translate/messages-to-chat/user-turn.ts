import { type JsonObject, stringIn } from '../../json-value.js';
import type { TranslationContext } from '../translation.js';
import { blocksOf, cacheControl, collapsed, dropRest } from './blocks.js';
import { CONTENT, partsOf, textPart } from './parts.js';
import { splitId } from './signed-id.js';

/**
 * A user's turn: the results of tools first, as messages of their own that must follow the calls at once, then what the user says.
 */
export function userMessages(content: unknown, context: TranslationContext): readonly JsonObject[] {
  const blocks = blocksOf(content, 'messages[].content');
  const moved = new MovedMedia();
  const results = blocks.filter(isResult).map((block) => toolMessage(block, moved, context));
  const parts = blocks.filter((block) => !isResult(block)).flatMap((block) => partsOf(block, context));
  const said = [...moved.parts, ...parts];
  return said.length === 0 ? results : [...results, { role: 'user', content: collapsed(said, '\n\n') }];
}

function isResult(block: JsonObject): boolean {
  return block['type'] === 'tool_result';
}

const RESULT_MEMBERS: ReadonlySet<string> = new Set(['tool_use_id', 'content', 'is_error']);
const ERROR = 'Error: ';

function toolMessage(block: JsonObject, moved: MovedMedia, context: TranslationContext): JsonObject {
  dropRest(block, RESULT_MEMBERS, CONTENT, context);
  const { id } = splitId(stringIn(block, 'tool_use_id') ?? '');
  const parts = blocksOf(block['content'] ?? '', `${CONTENT}.content`).flatMap((each) => partsOf(each, context));
  const message = { role: 'tool', tool_call_id: id };
  const failed = block['is_error'] === true;
  if (context.extended) {
    const marks = { ...(failed ? { is_error: true } : {}), ...cacheControl(block, context) };
    return { ...message, content: collapsed(parts, '\n'), ...marks };
  }
  cacheControl(block, context);
  const text = collapsed(moved.withoutMedia(parts, id), '\n') as string;
  return { ...message, content: failed && !text.startsWith(ERROR) ? ERROR + text : text };
}

/** Images and files in results of tools: chat takes them from users only, so they follow in the user's message. */
class MovedMedia {
  readonly parts: JsonObject[] = [];
  #count = 0;

  /** The parts with a note in each place where something was taken out. */
  withoutMedia(parts: readonly JsonObject[], callId: string): readonly JsonObject[] {
    return parts.flatMap((part) => (part['type'] === 'text' ? [part] : this.#move(part, callId)));
  }

  #move(part: JsonObject, callId: string): readonly JsonObject[] {
    this.#count += 1;
    const name = `${part['type'] === 'image_url' ? 'image' : 'file'} ${this.#count}`;
    this.parts.push(...textPart(`[${name} of the result of tool call ${callId}:]`), part);
    return textPart(`[${name}: see the next user message]`);
  }
}

import type { BedrockModel } from '../../bedrock/model.js';
import { isObject, type JsonObject, listIn, objectIn, stringIn } from '../../json-value.js';
import { REASONING, THINKING_BLOCKS } from '../hub.js';
import type { Losses } from '../losses.js';

type Writer = (block: JsonObject) => JsonObject | null;

const WRITERS: ReadonlyMap<string, Writer> = new Map<string, Writer>([
  ['thinking', signedThought],
  ['redacted_thinking', redactedThought],
]);

/**
 * Claude's thoughts of earlier turns, with the signatures without which it refuses to go on after a tool call. Thoughts of other
 * models are not sent back: none of them wants them.
 */
export function thoughtBlocks(message: JsonObject, model: BedrockModel, losses: Losses): readonly JsonObject[] {
  const thinks = model.claude !== null && (model.claude.budget || model.claude.adaptive);
  const blocks = listIn(message, THINKING_BLOCKS);
  const written = thinks ? blocks.map(writeThought) : [];
  const sent = written.filter((block) => block !== null);
  if (sent.length < blocks.length) losses.drop(`messages[].${THINKING_BLOCKS}`);
  // Beside the blocks it is their text alone.
  if (blocks.length === 0 && (stringIn(message, REASONING) ?? '') !== '') losses.drop(`messages[].${REASONING}`);
  return sent;
}

function writeThought(block: unknown): JsonObject | null {
  return isObject(block) ? (WRITERS.get(stringIn(block, 'type') ?? '')?.(block) ?? null) : null;
}

function signedThought(block: JsonObject): JsonObject | null {
  const signature = stringIn(block, 'signature') ?? '';
  if (signature === '') return null;
  return { reasoningContent: { reasoningText: { text: stringIn(block, 'thinking') ?? '', signature } } };
}

/** Converse wraps Anthropic's text in base64 once more. */
function redactedThought(block: JsonObject): JsonObject | null {
  const data = stringIn(block, 'data') ?? '';
  return data === '' ? null : { reasoningContent: { redactedContent: Buffer.from(data).toString('base64') } };
}

/** A `reasoningContent` of an answer as Anthropic's block; null when it has no signature and could not be sent back. */
export function readThought(content: JsonObject): JsonObject | null {
  const redacted = stringIn(content, 'redactedContent') ?? '';
  if (redacted !== '') return { type: 'redacted_thinking', data: Buffer.from(redacted, 'base64').toString('utf8') };
  const thought = objectIn(content, 'reasoningText');
  const signature = stringIn(thought, 'signature') ?? '';
  return signature === '' ? null : { type: 'thinking', thinking: stringIn(thought, 'text') ?? '', signature };
}

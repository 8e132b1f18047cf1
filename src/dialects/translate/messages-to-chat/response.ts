import { isObject, type JsonObject, parseJson, stringIn } from '../../json-value.js';
import { type CallPart, type ChatPart, readChatBody } from '../../openai-chat/chunk.js';
import { AnswerUsage, CallIds, messageHead, type Reply, stopMembers } from './reply.js';

/** A whole chat answer as a message. */
export function messageOf(body: JsonObject, reply: Reply): JsonObject {
  const { model, choices, usage } = readChatBody(body);
  const choice = choices[0];
  const parts = choice?.parts ?? [];
  const tally = new AnswerUsage(reply.context);
  tally.take(usage);
  for (const part of parts) tally.count(textOf(part));
  const ending = {
    finish: choice?.finish ?? null,
    stopSequence: choice?.stopSequence ?? null,
    calls: parts.some((part) => part.kind === 'call'),
    refused: parts.some((part) => part.kind === 'refusal'),
  };
  const head = messageHead(reply, model, tally.now());
  return { ...head, content: contentOf(parts, reply), ...stopMembers(ending, reply) };
}

function textOf(part: ChatPart): string {
  if (part.kind === 'call') return part.name + part.arguments;
  return part.kind === 'thinking-block' ? '' : part.text;
}

function contentOf(parts: readonly ChatPart[], reply: Reply): readonly JsonObject[] {
  const ids = new CallIds(reply.context);
  // Blocks hold the same thoughts again, with their signatures.
  const isSigned = parts.some((part) => part.kind === 'thinking-block');
  const content: JsonObject[] = [];
  for (const part of merged(parts)) {
    if (part.kind === 'call') content.push(toolUse(part, ids, reply));
    else if (part.kind === 'thinking-block') content.push(...thinkingBlock(part.block));
    else if (part.kind !== 'reasoning') content.push({ type: 'text', text: part.text });
    else if (reply.showsThoughts && !isSigned) content.push({ type: 'thinking', thinking: part.text, signature: '' });
  }
  return content;
}

/** Texts of one kind that follow each other are one block. */
function merged(parts: readonly ChatPart[]): readonly ChatPart[] {
  const whole: ChatPart[] = [];
  for (const part of parts) {
    const last = whole.at(-1);
    if (last !== undefined && 'text' in last && 'text' in part && last.kind === part.kind) {
      whole[whole.length - 1] = { kind: last.kind, text: last.text + part.text };
    } else whole.push(part);
  }
  return whole;
}

/** A block of thoughts as the dialect has it; none for kinds that it does not know. */
export function thinkingBlock(block: JsonObject): readonly JsonObject[] {
  if (block['type'] === 'redacted_thinking')
    return [{ type: 'redacted_thinking', data: stringIn(block, 'data') ?? '' }];
  if (block['type'] !== 'thinking') return [];
  const { thinking, signature } = { thinking: stringIn(block, 'thinking'), signature: stringIn(block, 'signature') };
  return [{ type: 'thinking', thinking: thinking ?? '', signature: signature ?? '' }];
}

function toolUse(call: CallPart, ids: CallIds, { names }: Reply): JsonObject {
  return {
    type: 'tool_use',
    id: ids.idOf(call.id, call.extra),
    name: names.get(call.name) ?? call.name,
    input: inputOf(call.arguments),
  };
}

/** Arguments must be an object. What a model wrote and nobody can read is kept under the name that Anthropic's guide gives it. */
function inputOf(text: string): JsonObject {
  if (text.trim() === '') return {};
  const value = parseJson(text);
  if (value === null) return {};
  return isObject(value) ? value : { INVALID_JSON: text };
}

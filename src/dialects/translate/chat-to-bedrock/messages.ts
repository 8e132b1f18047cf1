import type { BedrockModel } from '../../bedrock/model.js';
import { isObject, type JsonObject, listIn, objectIn, parseJson, stringIn } from '../../json-value.js';
import type { Losses } from '../losses.js';
import type { CachePoints } from './cache-points.js';
import { CallIds } from './call-ids.js';
import { type ContentParts, contentBlocks, textBlocks } from './content.js';
import { DocumentNames } from './media.js';
import { thoughtBlocks } from './thoughts.js';
import type { ToolNames } from './tool-names.js';
import { type Turn, Turns } from './turns.js';

export interface Conversation {
  readonly system: readonly JsonObject[];
  readonly turns: readonly Turn[];
}

export interface ConversationParts {
  readonly model: BedrockModel;
  readonly names: ToolNames;
  readonly cache: CachePoints;
  readonly losses: Losses;
}

type MessageReader = (message: JsonObject, talk: Talk) => void;

const READERS: ReadonlyMap<string, MessageReader> = new Map<string, MessageReader>([
  ['system', readSystem],
  ['developer', readSystem],
  ['user', readUser],
  ['assistant', readAssistant],
  ['tool', readResult],
]);

/** Read above, or told where it is lost. */
const KNOWN: ReadonlySet<string> = new Set(
  'role content refusal tool_calls tool_call_id thinking_blocks reasoning_content cache_control is_error'.split(' '),
);

/** What is gathered while messages are read. */
interface Talk extends ConversationParts {
  readonly system: JsonObject[];
  readonly turns: Turns;
  readonly ids: CallIds;
  readonly content: ContentParts;
}

/** Chat's messages as Converse's system blocks and turns. */
export function readConversation(messages: readonly unknown[], parts: ConversationParts): Conversation {
  const content = { losses: parts.losses, cache: parts.cache, documents: new DocumentNames() };
  const talk: Talk = { ...parts, system: [], turns: new Turns(), ids: new CallIds(), content };
  for (const message of messages) {
    const role = stringIn(message, 'role') ?? '';
    const reader = READERS.get(role);
    if (!isObject(message) || reader === undefined) {
      return parts.losses.refuse('messages[].role', `Bedrock has no role "${role.slice(0, 64)}"`);
    }
    dropOthers(message, parts.losses);
    reader(message, talk);
  }
  return { system: talk.system, turns: talk.turns.finish() };
}

function dropOthers(message: JsonObject, losses: Losses): void {
  for (const [name, value] of Object.entries(message)) {
    const says = value !== null && value !== '' && !(Array.isArray(value) && value.length === 0);
    if (says && !KNOWN.has(name)) losses.drop(`messages[].${name}`);
  }
}

function readSystem(message: JsonObject, talk: Talk): void {
  const blocks = withPoint(contentBlocks(message['content'], talk.content), message, talk);
  if (blocks.some((block) => !('text' in block || 'cachePoint' in block))) {
    talk.losses.refuse('messages[].content', 'instructions can only be text');
  }
  talk.system.push(...blocks);
}

function readUser(message: JsonObject, talk: Talk): void {
  talk.turns.add('user', withPoint(contentBlocks(message['content'], talk.content), message, talk));
}

function readAssistant(message: JsonObject, talk: Talk): void {
  const blocks = [
    ...thoughtBlocks(message, talk.model, talk.losses),
    ...contentBlocks(message['content'], talk.content),
    ...textBlocks(stringIn(message, 'refusal') ?? ''),
    ...listIn(message, 'tool_calls').map((call) => callBlock(call, talk)),
  ];
  talk.turns.add('assistant', withPoint(blocks, message, talk));
}

function callBlock(call: unknown, talk: Talk): JsonObject {
  const asked = objectIn(call, 'function');
  if (asked === null) return talk.losses.refuse('messages[].tool_calls', 'Bedrock has only calls of functions');
  return {
    toolUse: {
      toolUseId: talk.ids.toProvider(stringIn(call, 'id') ?? ''),
      name: talk.names.toProvider(stringIn(asked, 'name') ?? ''),
      input: inputOf(asked, talk.losses),
    },
  };
}

/** Converse wants an object; no arguments at all come as an empty text from many. */
function inputOf(asked: JsonObject, losses: Losses): JsonObject {
  const text = stringIn(asked, 'arguments') ?? '';
  const input = text.trim() === '' ? (objectIn(asked, 'arguments') ?? {}) : parseJson(text);
  return isObject(input) ? input : losses.refuse('messages[].tool_calls[].function.arguments', 'it is no JSON object');
}

function readResult(message: JsonObject, talk: Talk): void {
  const blocks = contentBlocks(message['content'], talk.content);
  const content = blocks.filter((block) => !('cachePoint' in block));
  // A cache point cannot stand inside a result, but behind it.
  const points = blocks.filter((block) => 'cachePoint' in block).slice(0, 1);
  if (content.some((block) => 'audio' in block)) talk.losses.refuse('messages[].content', 'results cannot hold audio');
  const toolResult = {
    toolUseId: talk.ids.toProvider(stringIn(message, 'tool_call_id') ?? ''),
    content: content.length > 0 ? content : [{ text: '(empty)' }],
    ...(message['is_error'] === true ? { status: 'error' } : {}),
  };
  talk.turns.addResult([{ toolResult }, ...(points.length > 0 ? points : talk.cache.after(message, 'messages'))]);
}

function withPoint(blocks: readonly JsonObject[], message: JsonObject, talk: Talk): readonly JsonObject[] {
  return blocks.length === 0 ? blocks : [...blocks, ...talk.cache.after(message, 'messages')];
}

import { isObject, type JsonObject, listIn, stringIn } from '../../json-value.js';
import type { TranslationContext } from '../translation.js';
import { openCarried } from './carried.js';
import { readContent } from './content.js';
import { Conversation } from './conversation.js';
import type { ToolTable } from './tool-table.js';

type ItemReader = (item: JsonObject, reading: Reading) => void;

interface Reading {
  readonly conversation: Conversation;
  readonly table: ToolTable;
  readonly context: TranslationContext;
}

const READERS: ReadonlyMap<string, ItemReader> = new Map<string, ItemReader>([
  ['message', readMessage],
  ['reasoning', readReasoning],
  ['function_call', (item, reading) => readCall(item, stringIn(item, 'arguments') || '{}', reading)],
  ['custom_tool_call', (item, reading) => readCall(item, freeText(item), reading)],
  ['tool_search_call', (item, reading) => readCall({ ...item, name: 'tool_search' }, searchArguments(item), reading)],
  ['function_call_output', readOutput],
  ['custom_tool_call_output', readOutput],
  ['tool_search_output', readFoundTools],
  // Its tools are read with the others.
  ['additional_tools', () => {}],
  // What was found is in the message that followed.
  ['web_search_call', (_item, { context }) => context.losses.drop('input[].web_search_call')],
  ['file_search_call', (_item, { context }) => context.losses.drop('input[].file_search_call')],
]);

const STATEFUL: ReadonlySet<string> = new Set(['item_reference', 'compaction', 'compaction_trigger']);

/** `instructions` and `input` as messages of chat. */
export function chatMessages(
  request: JsonObject,
  table: ToolTable,
  context: TranslationContext,
): readonly JsonObject[] {
  const conversation = new Conversation(context);
  const { instructions, input } = request;
  if (typeof instructions === 'string') conversation.say('system', readContent(instructions, 'instructions', context));
  for (const item of inputItems(input, context)) readItem(item, { conversation, table, context });
  const messages = conversation.messages();
  if (messages.length === 0) context.losses.refuse('input', 'it is empty');
  return messages;
}

/** The items of `input`; a string is a message of the user. */
export function inputItems(input: unknown, { losses }: TranslationContext): readonly JsonObject[] {
  if (typeof input === 'string') return [{ role: 'user', content: input }];
  if (input === undefined || input === null) return [];
  if (Array.isArray(input) && input.every(isObject)) return input;
  return losses.refuse('input', 'it is neither a text nor a list of items');
}

/** Tools that a search in an earlier turn found, or that were added in the input. */
export function toolsInInput(items: readonly JsonObject[]): readonly unknown[] {
  const holders = items.filter(({ type }) => type === 'tool_search_output' || type === 'additional_tools');
  return holders.flatMap((item) => listIn(item, 'tools'));
}

function readItem(item: JsonObject, reading: Reading): void {
  // A message may leave its type out.
  const type = stringIn(item, 'type') ?? 'message';
  const read = READERS.get(type);
  if (read !== undefined) {
    read(item, reading);
    return;
  }
  const why = STATEFUL.has(type) ? 'stands for what only OpenAI stores' : "is of one of OpenAI's own tools";
  reading.context.losses.refuse('input[].type', `an item of type "${type.slice(0, 60)}" ${why}`);
}

const ROLES: ReadonlyMap<string, string> = new Map([
  ['user', 'user'],
  ['system', 'system'],
  // Not every provider knows OpenAI's newer word.
  ['developer', 'system'],
]);

function readMessage(item: JsonObject, { conversation, context }: Reading): void {
  if (stringIn(item, 'phase') !== null) context.losses.drop('input[].phase');
  const role = stringIn(item, 'role') ?? '';
  const parts = readContent(item['content'], 'input[].content', context);
  const known = ROLES.get(role);
  if (role === 'assistant') conversation.answer(parts);
  else if (known !== undefined) conversation.say(known, parts);
  else context.losses.refuse('input[].role', `"${role.slice(0, 60)}" is no role`);
}

function readReasoning(item: JsonObject, { conversation }: Reading): void {
  const shown = listIn(item, 'summary').map((part) => stringIn(part, 'text') ?? '');
  const raw = listIn(item, 'content').map((part) => stringIn(part, 'text') ?? '');
  const text = (raw.length > 0 ? raw : shown).join('\n\n');
  conversation.think(text, openCarried(stringIn(item, 'encrypted_content')));
}

function readCall(item: JsonObject, json: string, { conversation, table }: Reading): void {
  const name = table.functionName(stringIn(item, 'name') ?? '', stringIn(item, 'namespace'));
  conversation.call({ id: stringIn(item, 'call_id') ?? '', name, arguments: json });
}

function freeText(item: JsonObject): string {
  return JSON.stringify({ input: stringIn(item, 'input') ?? '' });
}

function searchArguments(item: JsonObject): string {
  return JSON.stringify(isObject(item['arguments']) ? item['arguments'] : {});
}

function readOutput(item: JsonObject, { conversation, context }: Reading): void {
  const parts = readContent(item['output'] ?? '', 'input[].output', context);
  conversation.output(stringIn(item, 'call_id') ?? '', parts);
}

/** The tools themselves are offered with the others; the model is told which ones were found. */
function readFoundTools(item: JsonObject, { conversation }: Reading): void {
  const names = listIn(item, 'tools').map((tool) => stringIn(tool, 'name') ?? '');
  const text = names.length === 0 ? 'No tools were found.' : `These tools can be called now: ${names.join(', ')}`;
  conversation.output(stringIn(item, 'call_id') ?? '', [{ type: 'text', text }]);
}

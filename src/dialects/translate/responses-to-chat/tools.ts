import { isObject, type JsonObject, listIn, objectIn, stringIn } from '../../json-value.js';
import type { TranslationContext } from '../translation.js';
import type { ToolTable } from './tool-table.js';

/** A tool as functions of chat; several for a namespace, none where the model does without it. */
type ToolReader = (tool: JsonObject, reading: ToolReading) => readonly JsonObject[];

interface ToolReading {
  readonly table: ToolTable;
  readonly namespace: string | null;
  readonly context: TranslationContext;
}

const READERS: ReadonlyMap<string, ToolReader> = new Map<string, ToolReader>([
  ['function', readFunction],
  ['custom', readCustom],
  ['namespace', readNamespace],
  ['tool_search', readToolSearch],
  ['web_search', readWebSearch],
]);

/** What may follow from tools without any loss. */
const KNOWN_MEMBERS: ReadonlySet<string> = new Set([
  'type',
  'name',
  'description',
  'parameters',
  'strict',
  'format',
  'tools',
  'execution',
]);

/**
 * Tools as chat knows them. Those that run at OpenAI are refused, because an answer without them is another answer.
 * @param tools lists of tools in the order in which they were declared, in the request and in its input
 */
export function chatTools(
  tools: readonly unknown[],
  table: ToolTable,
  context: TranslationContext,
): readonly JsonObject[] {
  return tools.filter(isObject).flatMap((tool) => readTool(tool, { table, namespace: null, context }));
}

function readTool(tool: JsonObject, reading: ToolReading): readonly JsonObject[] {
  const type = stringIn(tool, 'type') ?? '';
  const read = READERS.get(type);
  if (read === undefined) return refuseHosted('tools[].type', type, reading.context);
  for (const [name, value] of Object.entries(tool)) {
    if (KNOWN_MEMBERS.has(name) || value === null || value === false || isDirect(name, value)) continue;
    if (type !== 'web_search') reading.context.losses.drop(`tools[].${name}`);
  }
  return read(tool, reading);
}

/** `allowed_callers: ["direct"]` is what everybody does. */
function isDirect(name: string, value: unknown): boolean {
  return name === 'allowed_callers' && Array.isArray(value) && value.includes('direct');
}

export function refuseHosted(field: string, type: string, { losses }: TranslationContext): never {
  return losses.refuse(field, `a tool of type "${type.slice(0, 60)}" runs at OpenAI only`);
}

function readFunction(tool: JsonObject, reading: ToolReading): readonly JsonObject[] {
  const strict = tool['strict'] === true ? { strict: true } : {};
  const parameters = objectIn(tool, 'parameters') ?? { type: 'object', properties: {} };
  return declare('function', tool, reading, { ...described(stringIn(tool, 'description')), parameters, ...strict });
}

/** Free text as the one argument of a function. The grammar is told to the model, but nothing holds the model to it. */
function readCustom(tool: JsonObject, reading: ToolReading): readonly JsonObject[] {
  const format = objectIn(tool, 'format');
  const grammar = stringIn(format, 'type') === 'grammar' ? format : null;
  if (grammar !== null) reading.context.losses.drop('tools[].format');
  const rule =
    grammar === null
      ? []
      : [`The input must match this ${stringIn(grammar, 'syntax') ?? ''} grammar:\n${stringIn(grammar, 'definition')}`];
  const description = [...present(stringIn(tool, 'description')), ...rule].join('\n\n');
  return declare('custom', tool, reading, { ...described(description), parameters: FREE_TEXT });
}

const FREE_TEXT: JsonObject = {
  type: 'object',
  properties: { input: { type: 'string', description: 'The whole input of the tool as plain text.' } },
  required: ['input'],
  additionalProperties: false,
};

function readNamespace(tool: JsonObject, reading: ToolReading): readonly JsonObject[] {
  const namespace = stringIn(tool, 'name') ?? '';
  const about = present(stringIn(tool, 'description'));
  return listIn(tool, 'tools')
    .filter(isObject)
    .flatMap((inner) => {
      const description = [...about, ...present(stringIn(inner, 'description'))].join('\n\n');
      return readTool({ ...inner, description }, { ...reading, namespace });
    });
}

/** A search that the client does itself is a function like any other. With OpenAI's own, all tools are in the request: no search is needed. */
function readToolSearch(tool: JsonObject, reading: ToolReading): readonly JsonObject[] {
  if (stringIn(tool, 'execution') !== 'client') {
    reading.context.losses.drop('tools[].tool_search');
    return [];
  }
  const parameters = objectIn(tool, 'parameters') ?? { type: 'object', properties: {} };
  const search = { ...tool, name: 'tool_search' };
  return declare('tool_search', search, reading, { ...described(stringIn(tool, 'description')), parameters });
}

/** Codex offers a search of cached pages in every request, as a convenience; whoever wants the live web depends on it. */
function readWebSearch(tool: JsonObject, { context }: ToolReading): readonly JsonObject[] {
  if (tool['external_web_access'] !== false) return refuseHosted('tools[].type', 'web_search', context);
  context.losses.drop('tools[].web_search');
  return [];
}

function declare(
  kind: 'function' | 'custom' | 'tool_search',
  tool: JsonObject,
  { table, namespace }: ToolReading,
  shape: JsonObject,
): readonly JsonObject[] {
  const name = table.add({ kind, name: stringIn(tool, 'name') ?? '', namespace });
  return name === null ? [] : [{ type: 'function', function: { name, ...shape } }];
}

function described(description: string | null): JsonObject {
  return description === null || description === '' ? {} : { description };
}

function present(text: string | null): readonly string[] {
  return text === null || text === '' ? [] : [text];
}

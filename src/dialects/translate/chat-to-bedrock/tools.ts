import type { BedrockModel } from '../../bedrock/model.js';
import { isObject, type JsonObject, listIn, objectIn, stringIn } from '../../json-value.js';
import type { Losses } from '../losses.js';
import type { CachePoints } from './cache-points.js';
import type { ToolNames } from './tool-names.js';

/** How free the model is to call tools; `name` is the client's. */
export type ToolChoice =
  | { readonly mode: 'auto' | 'none' | 'required' }
  | { readonly mode: 'named'; readonly name: string };

export interface AskedTools {
  /** The definitions that the model may use: `{type: "function", function: {…}}`. */
  readonly tools: readonly JsonObject[];
  readonly choice: ToolChoice;
  /** One call at a time. */
  readonly single: boolean;
}

const NO_TOOL_WORDS = new Map<string, ToolChoice>([
  ['auto', { mode: 'auto' }],
  ['none', { mode: 'none' }],
  ['required', { mode: 'required' }],
]);

/** `tools`, `tool_choice` and `parallel_tool_calls` of a chat request. */
export function readTools(request: JsonObject, losses: Losses): AskedTools {
  const tools = listIn(request, 'tools').filter(isObject);
  for (const tool of tools) {
    if (objectIn(tool, 'function') === null) {
      losses.refuse('tools', `Bedrock has no tools of type "${(stringIn(tool, 'type') ?? '').slice(0, 64)}"`);
    }
  }
  const single = request['parallel_tool_calls'] === false;
  if (tools.length === 0) return { tools, choice: { mode: 'auto' }, single: false };
  const asked = request['tool_choice'] ?? 'auto';
  const allowed = objectIn(asked, 'allowed_tools');
  if (allowed === null) return { tools, choice: readChoice(asked, losses), single };
  const names = new Set(listIn(allowed, 'tools').map((tool) => stringIn(objectIn(tool, 'function'), 'name')));
  const chosen = tools.filter((tool) => names.has(toolName(tool)));
  return { tools: chosen, choice: readChoice(allowed['mode'] ?? 'auto', losses), single };
}

export function toolName(tool: JsonObject): string {
  return stringIn(objectIn(tool, 'function'), 'name') ?? '';
}

function readChoice(asked: unknown, losses: Losses): ToolChoice {
  const word = typeof asked === 'string' ? NO_TOOL_WORDS.get(asked) : undefined;
  if (word !== undefined) return word;
  const name = stringIn(objectIn(asked, 'function'), 'name');
  return name === null ? losses.refuse('tool_choice', 'Bedrock cannot choose so') : { mode: 'named', name };
}

export interface ToolParts {
  readonly model: BedrockModel;
  readonly names: ToolNames;
  readonly cache: CachePoints;
  readonly losses: Losses;
}

/** The tools as Converse's, each with its cache point. */
export function toolSpecs(tools: readonly JsonObject[], parts: ToolParts): readonly JsonObject[] {
  return tools.flatMap((tool) => [
    toolSpec(objectIn(tool, 'function') ?? {}, parts),
    ...parts.cache.after(tool, 'tools'),
  ]);
}

function toolSpec(asked: JsonObject, { model, names, losses }: ToolParts): JsonObject {
  const description = stringIn(asked, 'description') ?? '';
  const strict = asked['strict'] === true;
  if (strict && !model.schemas) losses.drop('tools[].function.strict');
  return {
    toolSpec: {
      name: names.toProvider(stringIn(asked, 'name') ?? ''),
      ...(description.trim() === '' ? {} : { description }),
      inputSchema: { json: objectSchema(objectIn(asked, 'parameters') ?? {}) },
      ...(strict && model.schemas ? { strict } : {}),
    },
  };
}

/** Converse wants an object; tools without parameters often have no schema at all. */
export function objectSchema(schema: JsonObject): JsonObject {
  if (schema['type'] === 'object') return schema;
  return { ...schema, type: 'object', ...(isObject(schema['properties']) ? {} : { properties: {} }) };
}

/** Stands where Converse wants tools defined although the model shall call none. */
export function placeholderTool(names: ToolNames): { readonly name: string; readonly spec: JsonObject } {
  const name = names.reserve('no_tool');
  const spec = {
    toolSpec: {
      name,
      description: 'Does nothing. Never call it.',
      inputSchema: { json: { type: 'object', properties: {} } },
    },
  };
  return { name, spec };
}

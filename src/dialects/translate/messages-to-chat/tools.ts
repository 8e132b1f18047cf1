import { isObject, type JsonObject, objectIn, stringIn } from '../../json-value.js';
import { unsupported } from '../losses.js';
import type { TranslationContext } from '../translation.js';
import { cacheControl, dropRest } from './blocks.js';
import { isStrictSchema } from './strict-schema.js';
import type { ToolNames } from './tool-names.js';

/** `eager_input_streaming`: chat always streams arguments as they come. */
const KNOWN: ReadonlySet<string> = new Set(
  'name description input_schema strict eager_input_streaming allowed_callers'.split(' '),
);

/** Anthropic's tools as functions. Refuses tools that run at Anthropic, or whose schema only its models know. */
export function chatTools(tools: unknown, names: ToolNames, context: TranslationContext): JsonObject {
  if (!Array.isArray(tools)) throw unsupported('tools', '"tools" must be a list.');
  if (tools.length === 0) return {};
  return { tools: tools.map((tool) => chatTool(tool, names, context)) };
}

function chatTool(tool: unknown, names: ToolNames, context: TranslationContext): JsonObject {
  if (!isObject(tool)) throw unsupported('tools', '"tools" must be a list of objects.');
  const type = tool['type'] ?? 'custom';
  if (type !== 'custom') {
    const shown = String(type).slice(0, 60);
    context.losses.refuse('tools[].type', `a tool of type "${shown}" is known to Anthropic's own service only`);
  }
  dropRest(tool, KNOWN, 'tools[]', context);
  const callers = tool['allowed_callers'];
  if (Array.isArray(callers) && !callers.includes('direct')) context.losses.drop('tools[].allowed_callers');
  const description = stringIn(tool, 'description');
  return {
    type: 'function',
    function: {
      name: names.shortened(stringIn(tool, 'name') ?? ''),
      ...(description ? { description } : {}),
      parameters: parameters(objectIn(tool, 'input_schema') ?? {}),
      ...strictness(tool, context),
    },
    ...cacheControl(tool, context),
  };
}

/** OpenAI refuses an object without `properties`. */
function parameters(schema: JsonObject): JsonObject {
  const { type = 'object', properties, ...rest } = schema;
  return { type, properties: properties ?? {}, ...rest };
}

function strictness(tool: JsonObject, { extended, losses }: TranslationContext): JsonObject {
  if (tool['strict'] !== true) return {};
  if (extended || isStrictSchema(tool['input_schema'])) return { strict: true };
  losses.drop('tools[].strict');
  return {};
}

const CHOICES: ReadonlyMap<string, string> = new Map([
  ['auto', 'auto'],
  ['any', 'required'],
  ['none', 'none'],
]);

/** `tool_choice` and, out of it, `parallel_tool_calls`. OpenAI refuses both where no tools are offered. */
export function chatToolChoice(request: JsonObject, names: ToolNames, context: TranslationContext): JsonObject {
  const choice = objectIn(request, 'tool_choice');
  const tools = request['tools'];
  if (choice === null || !Array.isArray(tools) || tools.length === 0) return {};
  dropRest(choice, new Set(['name', 'disable_parallel_tool_use']), 'tool_choice', context);
  return {
    tool_choice: chosen(choice, names, context),
    ...(choice['disable_parallel_tool_use'] === true ? { parallel_tool_calls: false } : {}),
  };
}

function chosen(choice: JsonObject, names: ToolNames, context: TranslationContext): unknown {
  const type = stringIn(choice, 'type') ?? '';
  if (type === 'tool') {
    return { type: 'function', function: { name: names.shortened(stringIn(choice, 'name') ?? '') } };
  }
  return CHOICES.get(type) ?? context.losses.refuse('tool_choice.type', `"${type.slice(0, 60)}" is not known`);
}

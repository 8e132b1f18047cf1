import { isObject, type JsonObject, listIn, objectIn, stringIn } from '../../json-value.js';
import type { TranslationContext } from '../translation.js';
import type { ToolTable } from './tool-table.js';
import { refuseHosted } from './tools.js';

/** Chat's members about tools: `tools`, `tool_choice`, `parallel_tool_calls`. */
export function toolMembers(
  request: JsonObject,
  tools: readonly JsonObject[],
  table: ToolTable,
  context: TranslationContext,
): JsonObject {
  const choice = request['tool_choice'] ?? 'auto';
  const allowed = stringIn(choice, 'type') === 'allowed_tools' ? allowedNames(choice, table, context) : null;
  const offered = allowed === null ? tools : tools.filter((tool) => allowed.has(nameOf(tool)));
  const mode = allowed === null ? choice : (stringIn(choice, 'mode') ?? 'auto');
  if (offered.length === 0) return withoutTools(mode, context);
  const chosen = isObject(mode) ? named(mode, table, context) : mode;
  return {
    tools: offered,
    ...(chosen === 'auto' ? {} : { tool_choice: chosen }),
    ...(request['parallel_tool_calls'] === false ? { parallel_tool_calls: false } : {}),
  };
}

function withoutTools(mode: unknown, { losses }: TranslationContext): JsonObject {
  if (mode !== 'auto' && mode !== 'none') losses.refuse('tool_choice', 'it demands a tool, and there is none');
  return {};
}

/** Only the allowed tools are offered: not every provider knows how to restrict its choice. */
function allowedNames(choice: unknown, table: ToolTable, context: TranslationContext): ReadonlySet<string> {
  const names = listIn(choice, 'tools').map((tool) => {
    const type = stringIn(tool, 'type') ?? 'function';
    if (!NAMED_TYPES.has(type)) return refuseHosted('tool_choice.tools[].type', type, context);
    return functionName(tool, table);
  });
  return new Set(names);
}

const NAMED_TYPES: ReadonlySet<string> = new Set(['function', 'custom', 'tool_search']);

function named(choice: JsonObject, table: ToolTable, context: TranslationContext): JsonObject {
  const type = stringIn(choice, 'type') ?? '';
  if (!NAMED_TYPES.has(type)) return refuseHosted('tool_choice.type', type, context);
  return { type: 'function', function: { name: functionName(choice, table) } };
}

function functionName(tool: unknown, table: ToolTable): string {
  const name = stringIn(tool, 'name') ?? (stringIn(tool, 'type') === 'tool_search' ? 'tool_search' : '');
  return table.functionName(name, stringIn(tool, 'namespace'));
}

function nameOf(tool: JsonObject): string {
  return stringIn(objectIn(tool, 'function'), 'name') ?? '';
}

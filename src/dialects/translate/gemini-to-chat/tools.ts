import { isObject, type JsonObject, listIn, objectIn, stringIn } from '../../json-value.js';
import type { TranslationContext } from '../translation.js';
import { toJsonSchema } from './json-schema.js';

/** `tools` and `toolConfig`. Tools that Google runs itself cannot be had elsewhere. */
export function writeTools(request: JsonObject, context: TranslationContext): JsonObject {
  const { losses } = context;
  const functions: JsonObject[] = [];
  for (const tool of listIn(request, 'tools').filter(isObject)) {
    for (const [name, value] of Object.entries(tool)) {
      if (value === null || value === undefined) continue;
      if (name !== 'functionDeclarations') losses.refuse(`tools[].${name}`, 'only Google runs this tool');
      functions.push(
        ...listIn(tool, name)
          .filter(isObject)
          .map((each) => declare(each, context)),
      );
    }
  }
  const choice = readChoice(request, context);
  const offered = choice.only === null ? functions : functions.filter((each) => choice.only?.has(nameOf(each)));
  if (offered.length === 0) return {};
  return { tools: offered, ...(choice.mode === null ? {} : { tool_choice: choice.mode }) };
}

function declare(from: JsonObject, { losses }: TranslationContext): JsonObject {
  for (const name of ['response', 'responseJsonSchema', 'behavior']) {
    if (from[name] !== undefined && from[name] !== null) losses.drop(`tools[].functionDeclarations[].${name}`);
  }
  const description = stringIn(from, 'description');
  const own = objectIn(from, 'parameters');
  const parameters = objectIn(from, 'parametersJsonSchema') ?? (own === null ? null : toJsonSchema(own));
  const named = {
    name: stringIn(from, 'name') ?? '',
    ...(description ? { description } : {}),
    ...(parameters === null ? {} : { parameters }),
  };
  return { type: 'function', function: named };
}

function nameOf(tool: JsonObject): string {
  return stringIn(objectIn(tool, 'function'), 'name') ?? '';
}

interface Choice {
  readonly mode: unknown;
  /** Names that may be called; null = all. */
  readonly only: ReadonlySet<string> | null;
}

const MODES: ReadonlyMap<unknown, string> = new Map([
  ['AUTO', 'auto'],
  ['VALIDATED', 'auto'],
  ['ANY', 'required'],
  ['NONE', 'none'],
]);

function readChoice(request: JsonObject, { losses }: TranslationContext): Choice {
  const toolConfig = objectIn(request, 'toolConfig');
  const config = objectIn(toolConfig, 'functionCallingConfig');
  for (const [name, value] of Object.entries(toolConfig ?? {}))
    if (name !== 'functionCallingConfig' && value !== null) losses.drop(`toolConfig.${name}`);
  if (config?.['streamFunctionCallArguments'] === true)
    losses.drop('toolConfig.functionCallingConfig.streamFunctionCallArguments');
  const names = listIn(config, 'allowedFunctionNames').filter((name) => typeof name === 'string');
  const stated = config?.['mode'];
  const mode = MODES.get(typeof stated === 'string' ? stated.toUpperCase() : stated) ?? null;
  if (names.length === 1 && mode === 'required')
    return { mode: { type: 'function', function: { name: names[0] } }, only: null };
  return { mode, only: names.length > 0 ? new Set(names) : null };
}

import { isObject, type JsonObject, listIn, objectIn, stringIn } from '../../json-value.js';
import { CACHE_CONTROL } from '../hub.js';
import { writeJsonSchema } from './json-schema.js';
import { writeOpenApiSchema } from './openapi-schema.js';
import { type Scope, VERSION_WITH_JSON_SCHEMA } from './scope.js';

/** Google's own tools, as clients of other gateways write them into `tools`: `{"google_search": {}}`. */
const GOOGLE_TOOLS: ReadonlyMap<string, string> = new Map(
  ['googleSearch', 'googleSearchRetrieval', 'googleMaps', 'codeExecution', 'urlContext'].flatMap((name) => [
    [name, name],
    [name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), name],
  ]),
);

/** https://ai.google.dev/api/caching#FunctionDeclaration */
const FUNCTION_NAME = /^[a-zA-Z_][a-zA-Z0-9_.:-]*$/;

export interface Tools {
  /** `tools` and `toolConfig`, where there are any. */
  readonly body: JsonObject;
  /** The answer may name sources. */
  readonly searches: boolean;
}

/** `tools`, `tool_choice`, the older `functions` and `function_call`, and `web_search_options`. */
export function writeTools(request: JsonObject, scope: Scope): Tools {
  const choice = readChoice(request, scope);
  const functions: JsonObject[] = [];
  const own: Record<string, unknown> = {};
  for (const tool of listIn(request, 'tools')) addTool(tool, { functions, own }, scope);
  for (const each of listIn(request, 'functions')) if (isObject(each)) functions.push(declare(each, scope));
  addSearch(request, own, scope);
  const offered = choice.only === null ? functions : functions.filter(({ name }) => choice.only?.has(String(name)));
  const tools = [
    ...(offered.length > 0 ? [{ functionDeclarations: offered }] : []),
    ...Object.entries(own).map(([name, options]) => ({ [name]: options })),
  ];
  const config =
    offered.length > 0 && choice.config !== null ? { toolConfig: { functionCallingConfig: choice.config } } : {};
  return { body: tools.length > 0 ? { tools, ...config } : {}, searches: 'googleSearch' in own };
}

function addTool(tool: unknown, into: { functions: JsonObject[]; own: Record<string, unknown> }, scope: Scope): void {
  const named = objectIn(tool, 'function');
  const google = isObject(tool) ? Object.keys(tool).find((key) => GOOGLE_TOOLS.has(key)) : undefined;
  if (isObject(tool) && named !== null) {
    if (isObject(tool[CACHE_CONTROL])) scope.losses.drop(`tools[].${CACHE_CONTROL}`);
    into.functions.push(declare(named, scope));
  } else if (google !== undefined) into.own[GOOGLE_TOOLS.get(google) ?? google] = objectIn(tool, google) ?? {};
  else
    scope.losses.refuse(
      'tools[].type',
      `Gemini has no tools of the type "${(stringIn(tool, 'type') ?? '').slice(0, 40)}"`,
    );
}

function declare(named: JsonObject, scope: Scope): JsonObject {
  const { losses, version } = scope;
  const name = stringIn(named, 'name') ?? losses.refuse('tools[].function.name', 'it is missing');
  if (!FUNCTION_NAME.test(name))
    losses.refuse('tools[].function.name', 'names of functions begin with a letter or an underscore');
  const description = stringIn(named, 'description');
  if (named['strict'] === true) losses.drop('tools[].function.strict');
  const lost = (keyword: string): void => losses.drop(`tools[].function.parameters.${keyword}`);
  const schema = objectIn(named, 'parameters');
  return {
    name,
    ...(description ? { description } : {}),
    ...(schema === null ? {} : parametersOf(schema, version, lost)),
  };
}

function parametersOf(schema: JsonObject, version: number, lost: (keyword: string) => void): JsonObject {
  if (version >= VERSION_WITH_JSON_SCHEMA) return { parametersJsonSchema: writeJsonSchema(schema, lost) };
  const parameters = writeOpenApiSchema(schema, lost);
  // An object without properties is refused; no parameters mean the same.
  return parameters['type'] === 'object' && !('properties' in parameters) ? {} : { parameters };
}

function addSearch(request: JsonObject, own: Record<string, unknown>, { losses }: Scope): void {
  const options = objectIn(request, 'web_search_options');
  if (options === null) return;
  own['googleSearch'] ??= {};
  for (const [name, value] of Object.entries(options)) if (value !== null) losses.drop(`web_search_options.${name}`);
}

interface Choice {
  /** `functionCallingConfig`; null = Google's default, which is AUTO. */
  readonly config: JsonObject | null;
  /** Names that may be called at all; null = every one. */
  readonly only: ReadonlySet<string> | null;
}

const MODES: ReadonlyMap<unknown, string> = new Map([
  ['auto', 'AUTO'],
  ['none', 'NONE'],
  ['required', 'ANY'],
  // Mistral's word.
  ['any', 'ANY'],
]);

function readChoice(request: JsonObject, { losses }: Scope): Choice {
  const stated = request['tool_choice'] ?? request['function_call'];
  if (request['parallel_tool_calls'] === false) losses.drop('parallel_tool_calls');
  const mode = MODES.get(stated);
  if (mode !== undefined) return { config: { mode }, only: null };
  const name = stringIn(objectIn(stated, 'function'), 'name') ?? stringIn(stated, 'name');
  if (name !== null) return { config: { mode: 'ANY', allowedFunctionNames: [name] }, only: null };
  const allowed = objectIn(stated, 'allowed_tools');
  if (allowed !== null) return allowedChoice(allowed);
  if (stated !== undefined && stated !== null) losses.refuse('tool_choice', 'it names no function');
  return { config: null, only: null };
}

/** Only functions that may be called are offered: Google narrows nothing but ANY. */
function allowedChoice(allowed: JsonObject): Choice {
  const names = listIn(allowed, 'tools').map((tool) => stringIn(objectIn(tool, 'function'), 'name') ?? '');
  return { config: { mode: MODES.get(allowed['mode']) ?? 'AUTO' }, only: new Set(names) };
}

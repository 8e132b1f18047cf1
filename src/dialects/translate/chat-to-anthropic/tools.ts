import { strictSchema } from '../../anthropic/strict-schema.js';
import { isObject, type JsonObject, listIn, objectIn, stringIn } from '../../json-value.js';
import { CACHE_CONTROL } from '../hub.js';
import type { Losses } from '../losses.js';
import { withCacheControl } from './content.js';

/** Tools and the choice among them, as Anthropic takes them. */
export interface Tools {
  readonly tools: readonly JsonObject[];
  /** Null = Anthropic's default. */
  readonly choice: JsonObject | null;
  /** Asked for by `functions`: answers have one `function_call` in place of `tool_calls`. */
  readonly legacy: boolean;
}

interface ToolRules {
  /** The model takes `strict`. */
  readonly schemas: boolean;
  /** The model can be made to call a tool. */
  readonly forcedTools: boolean;
  readonly losses: Losses;
}

/** More tools with compiled schemas are refused. */
const MAX_STRICT = 20;

export function convertTools(request: JsonObject, rules: ToolRules): Tools {
  const functions = listIn(request, 'functions').filter(isObject);
  const legacy = functions.length > 0 && listIn(request, 'tools').length === 0;
  const given = legacy ? functions.map((each) => ({ type: 'function', function: each })) : listIn(request, 'tools');
  const asked = choiceOf(request, legacy);
  const allowed = allowedNames(asked);
  const offered = given.filter(isObject).filter((tool) => allowed?.has(nameOf(tool)) !== false);
  const converted = new ToolWriter(rules).all(offered);
  const oneCall = legacy || request['parallel_tool_calls'] === false;
  const choice = converted.length === 0 ? null : withOneCall(convertChoice(asked, rules), oneCall);
  return { tools: converted, choice, legacy };
}

/** Whether the model must call a tool. */
export function isForced(choice: JsonObject | null): boolean {
  return choice?.['type'] === 'any' || choice?.['type'] === 'tool';
}

/** Tools that were called before and are not offered now: Anthropic refuses calls of tools that it does not know. */
export function placeholderTools(called: ReadonlySet<string>): readonly JsonObject[] {
  return [...called].map((name) => ({ name, input_schema: { type: 'object', properties: {} } }));
}

class ToolWriter {
  readonly #rules: ToolRules;
  #strict = 0;

  constructor(rules: ToolRules) {
    this.#rules = rules;
  }

  all(tools: readonly JsonObject[]): readonly JsonObject[] {
    return tools.map((tool) => withCacheControl(this.#tool(tool), tool[CACHE_CONTROL]));
  }

  #tool(tool: JsonObject): JsonObject {
    const called = objectIn(tool, 'function');
    if (called === null) return this.#rules.losses.refuse('tools[].type', 'it only takes tools of type "function"');
    const description = stringIn(called, 'description');
    const schema = objectSchema(called['parameters']);
    const held = called['strict'] === true ? this.#held(schema) : null;
    return {
      name: stringIn(called, 'name') ?? '',
      ...(description === null ? {} : { description }),
      input_schema: held ?? schema,
      ...(held === null ? {} : { strict: true }),
    };
  }

  /** The schema to which the model can be held; null where it cannot, or only to a looser one. */
  #held(schema: JsonObject): JsonObject | null {
    const strict = this.#rules.schemas && this.#strict < MAX_STRICT ? strictSchema(schema) : null;
    if (strict === null || strict.loosened.length > 0) {
      this.#rules.losses.drop('tools[].function.strict');
      return null;
    }
    this.#strict += 1;
    return strict.schema;
  }
}

/** Anthropic refuses every type but `object`, and a missing schema. */
export function objectSchema(parameters: unknown): JsonObject {
  if (!isObject(parameters)) return { type: 'object', properties: {} };
  const properties = isObject(parameters['properties']) ? {} : { properties: {} };
  return parameters['type'] === 'object' ? parameters : { ...parameters, ...properties, type: 'object' };
}

function choiceOf(request: JsonObject, legacy: boolean): unknown {
  if (!legacy) return request['tool_choice'];
  const called = request['function_call'];
  return isObject(called) ? { type: 'function', function: called } : called;
}

type ChoiceHandler = (asked: unknown) => JsonObject | null;

const CHOICES: ReadonlyMap<string, ChoiceHandler> = new Map<string, ChoiceHandler>([
  ['', () => null],
  ['auto', () => ({ type: 'auto' })],
  ['required', () => ({ type: 'any' })],
  ['none', () => ({ type: 'none' })],
  ['function', (asked) => ({ type: 'tool', name: stringIn(objectIn(asked, 'function'), 'name') ?? '' })],
  ['allowed_tools', (asked) => ({ type: allowedMode(asked) === 'required' ? 'any' : 'auto' })],
]);

function convertChoice(asked: unknown, { forcedTools, losses }: ToolRules): JsonObject | null {
  const kind = typeof asked === 'string' ? asked : (stringIn(asked, 'type') ?? '');
  const handler = CHOICES.get(kind);
  if (handler === undefined) return losses.refuse('tool_choice', 'it does not know this choice');
  const choice = handler(asked);
  if (isForced(choice) && !forcedTools)
    return losses.refuse('tool_choice', 'this model cannot be made to call a tool, use "auto"');
  return choice;
}

/** `{type:"allowed_tools", allowed_tools:{mode, tools}}`, with or without the inner object. */
function allowedTools(asked: unknown): JsonObject | null {
  if (!isObject(asked) || asked['type'] !== 'allowed_tools') return null;
  return objectIn(asked, 'allowed_tools') ?? asked;
}

function allowedMode(asked: unknown): string | null {
  return stringIn(allowedTools(asked), 'mode');
}

function allowedNames(asked: unknown): ReadonlySet<string> | null {
  const allowed = allowedTools(asked);
  return allowed && new Set(listIn(allowed, 'tools').filter(isObject).map(nameOf));
}

function nameOf(tool: JsonObject): string {
  return stringIn(objectIn(tool, 'function') ?? tool, 'name') ?? '';
}

function withOneCall(choice: JsonObject | null, oneCall: boolean): JsonObject | null {
  if (!oneCall || choice?.['type'] === 'none') return choice;
  return { ...(choice ?? { type: 'auto' }), disable_parallel_tool_use: true };
}

import type { ClaudeModel } from '../../anthropic/models.js';
import { strictSchema } from '../../anthropic/strict-schema.js';
import { isObject, type JsonObject, objectIn, stringIn } from '../../json-value.js';
import type { Losses } from '../losses.js';
import { isForced, objectSchema, type Tools } from './tools.js';

/** How the model is brought to answer in JSON. */
export interface AnswerFormat {
  /** `output_config.format` */
  readonly format: JsonObject | null;
  /** The tool whose input becomes the answer's content. */
  readonly answerTool: JsonObject | null;
  /** A sentence for `system`, where nothing else is left. */
  readonly instruction: string | null;
}

const FREE: AnswerFormat = { format: null, answerTool: null, instruction: null };
const ANY_OBJECT: JsonObject = { type: 'object', additionalProperties: true };
const NAME = 'json_answer';
const PURPOSE = 'Gives the user the whole answer as one JSON object. All that was asked for goes into it.';

interface FormatNeeds {
  readonly model: ClaudeModel;
  readonly tools: Tools;
  readonly losses: Losses;
}

type FormatHandler = (format: JsonObject, needs: FormatNeeds) => AnswerFormat;

const HANDLERS: ReadonlyMap<string, FormatHandler> = new Map<string, FormatHandler>([
  ['text', () => FREE],
  ['json_object', (_format, needs) => byTool(ANY_OBJECT, null, needs)],
  ['json_schema', bySchema],
]);

/** `response_format`. A model that must call a tool of the client's gives no answer that could have a format. */
export function chooseFormat(given: unknown, needs: FormatNeeds): AnswerFormat {
  if (!isObject(given) || isForced(needs.tools.choice)) return FREE;
  const handler = HANDLERS.get(stringIn(given, 'type') ?? '');
  return handler === undefined
    ? needs.losses.refuse('response_format.type', 'it does not know this format')
    : handler(given, needs);
}

function bySchema(given: JsonObject, needs: FormatNeeds): AnswerFormat {
  const named = objectIn(given, 'json_schema');
  const stated = objectIn(named, 'schema') ?? ANY_OBJECT;
  if (stated['type'] !== undefined && stated['type'] !== 'object')
    return needs.losses.refuse('response_format.json_schema.schema', 'it must describe an object');
  const schema = objectSchema(stated);
  const strict = needs.model.schemas ? strictSchema(schema) : null;
  if (strict === null) return byTool(schema, stringIn(named, 'description'), needs);
  for (const keyword of strict.loosened) needs.losses.drop(`response_format.json_schema.schema.${keyword}`);
  return { ...FREE, format: { type: 'json_schema', schema: strict.schema } };
}

/** What cannot be said as a format is said as a tool that the model has to call. */
function byTool(schema: JsonObject, description: string | null, { model, tools, losses }: FormatNeeds): AnswerFormat {
  if (!model.forcedTools) {
    losses.drop('response_format');
    const told = schema === ANY_OBJECT ? '' : ` that is valid by this schema: ${JSON.stringify(schema)}`;
    return { ...FREE, instruction: `Answer with nothing but one JSON object${told}` };
  }
  const taken = new Set(tools.tools.map((tool) => tool['name']));
  let name = NAME;
  while (taken.has(name)) name += '_';
  return { ...FREE, answerTool: { name, description: description ?? PURPOSE, input_schema: schema } };
}

/** The choice that makes the model answer by its tool, or call one of the client's first where it may. */
export function choiceWithAnswer(tools: Tools, answerTool: JsonObject): JsonObject {
  const clientsToo = tools.tools.length > 0 && tools.choice?.['type'] !== 'none';
  const oneCall = tools.choice?.['disable_parallel_tool_use'] === true ? { disable_parallel_tool_use: true } : {};
  return clientsToo
    ? { type: 'any', ...oneCall }
    : { type: 'tool', name: answerTool['name'], disable_parallel_tool_use: true };
}

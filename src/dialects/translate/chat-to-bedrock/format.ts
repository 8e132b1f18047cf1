import { strictSchema } from '../../anthropic/strict-schema.js';
import type { BedrockModel } from '../../bedrock/model.js';
import { type JsonObject, objectIn, stringIn } from '../../json-value.js';
import type { Losses } from '../losses.js';
import type { ToolChoice } from './tools.js';

/** How the model is held to `response_format`. */
export type FormatPlan =
  | { readonly kind: 'free' }
  /** Bedrock holds the model to the schema. */
  | { readonly kind: 'native'; readonly outputConfig: JsonObject }
  /** The model must call a tool that takes the answer as its input. */
  | { readonly kind: 'tool'; readonly schema: JsonObject; readonly description: string }
  /** The model is only told. */
  | { readonly kind: 'told'; readonly instruction: string };

interface FormatParts {
  readonly model: BedrockModel;
  readonly choice: ToolChoice;
  readonly losses: Losses;
}

type Planner = (format: JsonObject, parts: FormatParts) => FormatPlan;

const FREE: FormatPlan = { kind: 'free' };
const ONLY_JSON = 'Answer with one JSON object and nothing else: no explanation, no code fence.';

const PLANNERS: ReadonlyMap<string, Planner> = new Map<string, Planner>([
  ['text', () => FREE],
  ['json_object', (_format, { losses }) => told(ONLY_JSON, losses)],
  ['json_schema', planSchema],
]);

export function planFormat(request: JsonObject, parts: FormatParts): FormatPlan {
  const format = objectIn(request, 'response_format');
  if (format === null) return FREE;
  const planner = PLANNERS.get(stringIn(format, 'type') ?? 'text');
  return planner === undefined
    ? parts.losses.refuse('response_format', 'Bedrock has no such format')
    : planner(format, parts);
}

function planSchema(format: JsonObject, parts: FormatParts): FormatPlan {
  const { model, choice, losses } = parts;
  const asked = objectIn(format, 'json_schema');
  const schema = objectIn(asked, 'schema') ?? {};
  const strict = model.schemas ? strictSchema(schema) : null;
  if (strict !== null) {
    for (const keyword of strict.loosened) losses.drop(`response_format.json_schema.schema.${keyword}`);
    return { kind: 'native', outputConfig: outputConfig(strict.schema, asked) };
  }
  // A tool of the client's is forced, so there will be no text to hold.
  if (choice.mode === 'required' || choice.mode === 'named') {
    losses.drop('response_format');
    return FREE;
  }
  if (schema['type'] !== 'object' || model.claude?.forcedTools === false) {
    return told(`${ONLY_JSON} It must match this JSON Schema: ${JSON.stringify(schema)}`, losses);
  }
  return { kind: 'tool', schema, description: stringIn(asked, 'description') ?? 'Gives the answer in its final form.' };
}

/** The schema travels as text. https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_JsonSchemaDefinition.html */
function outputConfig(schema: JsonObject, asked: JsonObject | null): JsonObject {
  const name = stringIn(asked, 'name') ?? '';
  const description = stringIn(asked, 'description') ?? '';
  const jsonSchema = {
    ...(name === '' ? {} : { name }),
    schema: JSON.stringify(schema),
    ...(description === '' ? {} : { description }),
  };
  return { textFormat: { type: 'json_schema', structure: { jsonSchema } } };
}

/** Nothing holds the model to it: that is a loss. */
function told(instruction: string, losses: Losses): FormatPlan {
  losses.drop('response_format');
  return { kind: 'told', instruction };
}

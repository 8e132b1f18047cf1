import { type JsonObject, objectIn, stringIn } from '../../json-value.js';
import type { TranslationContext } from '../translation.js';
import { isStrictSchema } from './strict-schema.js';

/** Output by a JSON schema, under its present name (`output_config.format`) or the one of its beta (`output_format`). */
export function chatResponseFormat(request: JsonObject, { extended, losses }: TranslationContext): JsonObject {
  const format = objectIn(objectIn(request, 'output_config'), 'format') ?? objectIn(request, 'output_format');
  if (format === null) return {};
  const type = stringIn(format, 'type') ?? '';
  const schema = objectIn(format, 'schema');
  if (type !== 'json_schema' || schema === null) {
    return losses.refuse('output_config.format', `a format of type "${type.slice(0, 60)}" is not known`);
  }
  const name = (stringIn(schema, 'title') ?? '').replace(/[^\w-]+/g, '_').slice(0, 64) || 'response';
  // What OpenAI would refuse as strict is a wish there: the model follows it, but is not held to it.
  const strict = extended || isStrictSchema(schema);
  return { response_format: { type, json_schema: { name, schema, strict } } };
}

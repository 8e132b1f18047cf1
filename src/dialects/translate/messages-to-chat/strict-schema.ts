import { isObject, type JsonObject } from '../../json-value.js';

const MAX_DEPTH = 64;
/** Keywords whose members are schemas by name, and those that hold one schema or a list of them. */
const NAMED = ['properties', '$defs', 'definitions'];
const NESTED = ['items', 'anyOf', 'allOf', 'oneOf', 'prefixItems'];

/**
 * Whether OpenAI takes a schema with `strict: true`: every object closed, every property required. Anthropic asks for the first
 * only, so what is strict there need not be here. https://platform.openai.com/docs/guides/structured-outputs
 */
export function isStrictSchema(schema: unknown, depth = 0): boolean {
  if (!isObject(schema) || depth > MAX_DEPTH) return false;
  return isClosed(schema) && inner(schema).every((each) => isStrictSchema(each, depth + 1));
}

function isClosed(schema: JsonObject): boolean {
  const { properties, required } = schema;
  if (schema['type'] !== 'object' && properties === undefined) return true;
  if (schema['additionalProperties'] !== false) return false;
  const names: readonly unknown[] = Array.isArray(required) ? required : [];
  return Object.keys(isObject(properties) ? properties : {}).every((name) => names.includes(name));
}

function inner(schema: JsonObject): readonly unknown[] {
  const named = NAMED.flatMap((key) => Object.values(isObject(schema[key]) ? schema[key] : {}));
  const nested = NESTED.flatMap((key) => schema[key] ?? []);
  return [...named, ...nested];
}

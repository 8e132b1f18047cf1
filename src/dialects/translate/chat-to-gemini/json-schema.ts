import { isObject, type JsonObject } from '../../json-value.js';
import { set } from '../schema-members.js';

/** Told of every keyword that was left out although it says which values are allowed. */
export type Lost = (keyword: string) => void;

/** Not known to Google, and no rule: nothing is lost with them. */
const NOTES: ReadonlySet<string> = new Set([
  '$schema',
  '$comment',
  'examples',
  'discriminator',
  'readOnly',
  'writeOnly',
  'deprecated',
]);
/** Rules that Google does not know. */
const UNKNOWN: ReadonlySet<string> = new Set([
  'exclusiveMinimum',
  'exclusiveMaximum',
  'multipleOf',
  'propertyNames',
  'patternProperties',
  'dependentRequired',
  'dependentSchemas',
  'unevaluatedProperties',
  'unevaluatedItems',
  'contains',
  'uniqueItems',
  'not',
  'if',
  'then',
  'else',
]);
/** Keywords whose members are schemas by name. */
const NAMED: ReadonlySet<string> = new Set(['properties', '$defs', 'definitions']);
/** Keywords whose value is data, not a schema. */
const DATA: ReadonlySet<string> = new Set(['enum', 'default', 'required', 'const']);
const MAX_DEPTH = 64;

/**
 * JSON Schema for `responseJsonSchema` and `parametersJsonSchema`: only what Google refuses is taken out.
 * https://ai.google.dev/api/generate-content#FIELDS.response_json_schema
 */
export function writeJsonSchema(schema: JsonObject, lost: Lost, depth = 0): JsonObject {
  const written: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(schema)) {
    if (NOTES.has(key)) continue;
    if (UNKNOWN.has(key)) lost(key);
    else if (key === 'const') Object.assign(written, constant(value, schema));
    else
      set(
        written,
        key,
        depth > MAX_DEPTH || DATA.has(key)
          ? value
          : inner(key, value, (each) => writeJsonSchema(each, lost, depth + 1)),
      );
  }
  return written;
}

function inner(key: string, value: unknown, write: (schema: JsonObject) => JsonObject): unknown {
  if (Array.isArray(value)) return value.map((each) => (isObject(each) ? write(each) : each));
  if (!isObject(value)) return value;
  if (!NAMED.has(key)) return write(value);
  const written: Record<string, unknown> = {};
  for (const [name, each] of Object.entries(value)) set(written, name, isObject(each) ? write(each) : each);
  return written;
}

/** Google knows no `const`: it is a list of one. */
export function constant(value: unknown, schema: JsonObject): JsonObject {
  return { ...('type' in schema ? {} : { type: typeName(value) }), enum: [value] };
}

function typeName(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return Number.isInteger(value) ? 'integer' : typeof value;
}

import { isObject, type JsonObject } from '../../json-value.js';
import { set } from '../schema-members.js';
import { camelCase } from './camel-case.js';

/** Google's 64-bit numbers may come as text. */
const COUNTS: ReadonlySet<string> = new Set([
  'minItems',
  'maxItems',
  'minLength',
  'maxLength',
  'minProperties',
  'maxProperties',
]);
/** The order of properties is no rule, and `nullable` is a type. */
const LEFT_OUT: ReadonlySet<string> = new Set(['propertyOrdering', 'nullable', 'example']);

/** Google's OpenAPI schema (`{"type": "STRING", "nullable": true}`) as JSON Schema. */
export function toJsonSchema(schema: JsonObject): JsonObject {
  const written: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(schema)) {
    const name = camelCase(key);
    if (!LEFT_OUT.has(name)) set(written, name, member(name, value));
  }
  if (schema['nullable'] === true) allowNull(written);
  return written;
}

function member(name: string, value: unknown): unknown {
  if (name === 'type' && typeof value === 'string') return value.toLowerCase();
  if (COUNTS.has(name) && typeof value === 'string') return Number(value);
  if (name === 'properties' && isObject(value)) return eachOf(value);
  if (name === 'items' && isObject(value)) return toJsonSchema(value);
  if (name === 'anyOf' && Array.isArray(value))
    return value.map((each) => (isObject(each) ? toJsonSchema(each) : each));
  return value;
}

function eachOf(properties: JsonObject): JsonObject {
  const written: Record<string, unknown> = {};
  for (const [name, each] of Object.entries(properties)) set(written, name, isObject(each) ? toJsonSchema(each) : each);
  return written;
}

function allowNull(written: Record<string, unknown>): void {
  if (typeof written['type'] === 'string') written['type'] = [written['type'], 'null'];
  if (Array.isArray(written['enum'])) written['enum'] = [...written['enum'], null];
  if (Array.isArray(written['anyOf'])) written['anyOf'] = [...written['anyOf'], { type: 'null' }];
}

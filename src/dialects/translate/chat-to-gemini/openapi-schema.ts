import { isObject, type JsonObject, listIn, objectIn, stringIn } from '../../json-value.js';
import { set } from '../schema-members.js';
import { constant, type Lost } from './json-schema.js';

/** Taken as they are. */
const KEPT: ReadonlySet<string> = new Set(
  'title description nullable minimum maximum minItems maxItems minLength maxLength minProperties maxProperties pattern default required propertyOrdering'.split(
    ' ',
  ),
);
const TYPES: ReadonlySet<string> = new Set(['string', 'number', 'integer', 'boolean', 'array', 'object']);
const FORMATS: ReadonlySet<string> = new Set(['enum', 'date-time', 'float', 'double', 'int32', 'int64']);
/** No rules, or ones whose loss allows only what the model was not asked for: nobody needs to be told. */
const IGNORED: ReadonlySet<string> = new Set(
  '$schema $id $comment $defs definitions $ref examples example discriminator deprecated readOnly writeOnly additionalProperties format'.split(
    ' ',
  ),
);
const MAX_DEPTH = 32;

/**
 * JSON Schema as the subset of OpenAPI 3.0 that `parameters` and `responseSchema` take: the only form before Gemini 2.5.
 * References are put in place, `allOf` is one schema, `const` a list of one, and null is a mark of the type.
 * https://ai.google.dev/api/caching#Schema
 */
export function writeOpenApiSchema(schema: JsonObject, lost: Lost): JsonObject {
  return new SchemaWriter(schema, lost).write(schema, 0);
}

class SchemaWriter {
  readonly #root: JsonObject;
  readonly #lost: Lost;

  constructor(root: JsonObject, lost: Lost) {
    this.#root = root;
    this.#lost = lost;
  }

  write(from: unknown, depth: number): JsonObject {
    if (!isObject(from)) return {};
    if (depth > MAX_DEPTH) {
      this.#lost('$ref');
      return { type: 'object' };
    }
    const schema = this.#merged(this.#resolved(from), depth);
    const written: Record<string, unknown> = {};
    for (const [key, value] of Object.entries(schema)) {
      if (KEPT.has(key)) written[key] = value;
      else if (!IGNORED.has(key) && !HANDLED.has(key)) this.#lost(key);
    }
    const { format } = schema;
    if (typeof format === 'string' && FORMATS.has(format)) written['format'] = format;
    this.#type(schema, written);
    this.#values(schema, written);
    this.#choices(schema, written, depth);
    this.#children(schema, written, depth);
    return written;
  }

  /** What `$ref` points to, with the members beside it. */
  #resolved(schema: JsonObject): JsonObject {
    let resolved = schema;
    for (let hops = 0; typeof resolved['$ref'] === 'string' && hops < MAX_DEPTH; hops += 1) {
      const { $ref, ...rest } = resolved;
      resolved = { ...this.#find(String($ref)), ...rest };
    }
    return resolved;
  }

  #find(reference: string): JsonObject {
    let found: unknown = reference.startsWith('#') ? this.#root : null;
    for (const name of reference.split('/').slice(1)) {
      const key = name.replaceAll('~1', '/').replaceAll('~0', '~');
      found = isObject(found) && Object.hasOwn(found, key) ? found[key] : null;
    }
    if (!isObject(found)) this.#lost('$ref');
    return isObject(found) ? found : {};
  }

  /** `allOf` in one: properties and required names together, other members of the last. */
  #merged(schema: JsonObject, depth: number): JsonObject {
    if (depth > MAX_DEPTH || !Array.isArray(schema['allOf'])) return schema;
    const { allOf: _all, ...own } = schema;
    const all = [...listIn(schema, 'allOf').filter(isObject), own];
    const parts = all.map((part) => this.#merged(this.#resolved(part), depth + 1));
    const properties = parts.flatMap((part) => Object.entries(objectIn(part, 'properties') ?? {}));
    const required = [...new Set(parts.flatMap((part) => listIn(part, 'required')))];
    return {
      ...Object.assign({}, ...parts),
      ...(properties.length > 0 ? { properties: Object.fromEntries(properties) } : {}),
      ...(required.length > 0 ? { required } : {}),
    };
  }

  #type(schema: JsonObject, written: Record<string, unknown>) {
    const stated = Array.isArray(schema['type']) ? schema['type'] : [schema['type']];
    const types = stated.filter((type) => typeof type === 'string' && TYPES.has(type));
    if (stated.includes('null')) written['nullable'] = true;
    if (types.length > 1) written['anyOf'] = types.map((type) => ({ type }));
    else if (types[0] !== undefined) written['type'] = types[0];
    else if (objectIn(schema, 'properties') !== null) written['type'] = 'object';
  }

  /** Values are strings there. */
  #values(schema: JsonObject, written: Record<string, unknown>) {
    const stated = 'const' in schema ? constant(schema['const'], schema) : schema;
    const values = listIn(stated, 'enum');
    if (values.length === 0) return;
    if (values.includes(null)) written['nullable'] = true;
    const strings = values.filter((value) => typeof value === 'string' && value !== '');
    if (strings.length + Number(values.includes(null)) < values.length) {
      if (values.every((value) => typeof value === 'number')) written['type'] ??= 'number';
      this.#lost('const' in schema ? 'const' : 'enum');
      return;
    }
    if (strings.length > 0) Object.assign(written, { type: 'string', enum: strings });
  }

  #choices(schema: JsonObject, written: Record<string, unknown>, depth: number) {
    const choices = [...listIn(schema, 'anyOf'), ...listIn(schema, 'oneOf')];
    const real = choices.filter((choice) => stringIn(choice, 'type') !== 'null');
    if (real.length < choices.length) written['nullable'] = true;
    const schemas = real.map((choice) => this.write(choice, depth + 1));
    if (schemas.length === 1) Object.assign(written, schemas[0]);
    else if (schemas.length > 1) written['anyOf'] = schemas;
  }

  #children(schema: JsonObject, written: Record<string, unknown>, depth: number) {
    const properties: Record<string, unknown> = {};
    for (const [name, each] of Object.entries(objectIn(schema, 'properties') ?? {}))
      set(properties, name, this.write(each, depth + 1));
    if (Object.keys(properties).length > 0) written['properties'] = properties;
    if ('items' in schema || written['type'] === 'array') {
      const items = this.write(schema['items'], depth + 1);
      // A list must say of what.
      written['items'] = Object.keys(items).length > 0 ? items : { type: 'string' };
    }
    const names = listIn(schema, 'required').filter(
      (name) => typeof name === 'string' && Object.hasOwn(properties, name),
    );
    if (names.length > 0) written['required'] = names;
    else delete written['required'];
  }
}

/** Read by a step of their own. */
const HANDLED: ReadonlySet<string> = new Set('type enum const anyOf oneOf allOf properties items'.split(' '));

import { isObject, type JsonObject, listOr, objectOr, textOr } from './json.js';

const DEEPEST = 8;

const BY_TYPE: Readonly<Record<string, (schema: JsonObject, root: JsonObject, depth: number) => unknown>> = {
  string: (schema) => textSample(schema),
  integer: (schema) => (typeof schema['minimum'] === 'number' ? Math.ceil(schema['minimum']) : 1),
  number: (schema) => (typeof schema['minimum'] === 'number' ? schema['minimum'] : 1.5),
  boolean: () => true,
  null: () => null,
  array: (schema, root, depth) => (depth >= DEEPEST ? [] : [sample(schema['items'], root, depth + 1)]),
  object: (schema, root, depth) =>
    Object.fromEntries(
      Object.entries(objectOr(schema['properties']))
        .filter(() => depth < DEEPEST)
        .map(([name, property]) => [name, sample(property, root, depth + 1)]),
    ),
};

/** A value that fits a JSON Schema, always the same one: for structured output and tool arguments. */
export function schemaSample(schema: unknown): unknown {
  return sample(schema, objectOr(schema), 0);
}

function sample(schema: unknown, root: JsonObject, depth: number): unknown {
  if (!isObject(schema) || depth > DEEPEST) return {};
  if ('const' in schema) return schema['const'];
  if (Array.isArray(schema['enum'])) return schema['enum'][0];
  const resolved = typeof schema['$ref'] === 'string' ? resolve(schema['$ref'], root) : undefined;
  if (resolved !== undefined) return sample(resolved, root, depth + 1);
  const choice = listOr(schema['anyOf'] ?? schema['oneOf'] ?? schema['allOf'])[0];
  if (choice !== undefined) return sample(choice, root, depth + 1);
  const type = Array.isArray(schema['type']) ? schema['type'][0] : schema['type'];
  // Google's older schemas write types in capitals.
  const name = textOr(type, 'properties' in schema ? 'object' : 'string').toLowerCase();
  return (BY_TYPE[name] ?? textSample)(schema, root, depth);
}

function resolve(reference: string, root: JsonObject): unknown {
  if (reference === '#') return root;
  let found: unknown = root;
  for (const step of reference.replace(/^#\//, '').split('/')) found = objectOr(found)[step];
  return found;
}

function textSample(schema: JsonObject): string {
  const format = textOr(schema['format']);
  if (format === 'date') return '2026-01-01';
  if (format === 'date-time') return '2026-01-01T00:00:00Z';
  return textOr(schema['default'], textOr(schema['title'], 'example'));
}

import { isObject, type JsonObject, listIn, objectIn, stringIn } from '../json-value.js';

/** A JSON Schema in the subset to which Claude's answers can be held. */
export interface StrictSchema {
  readonly schema: JsonObject;
  /** Keywords that could only be written into descriptions: `minimum`, `pattern`. */
  readonly loosened: readonly string[];
}

/** More of them make the compiled grammar too large: seen from 11 on. */
const MAX_OPTIONAL = 10;
const MAX_DEPTH = 100;

const KEPT: ReadonlySet<string> = new Set(
  '$schema $id $ref title description default const enum type required nullable'.split(' '),
);
const MAPS: ReadonlySet<string> = new Set(['properties', '$defs', 'definitions']);
const LISTS: Readonly<Record<string, string>> = { anyOf: 'anyOf', oneOf: 'anyOf', allOf: 'allOf' };
const FORMATS: ReadonlySet<string> = new Set(
  'date-time time date duration email hostname uri ipv4 ipv6 uuid'.split(' '),
);
/** Say nothing about what is valid. */
const COMMENTS: ReadonlySet<string> = new Set(['$comment', 'examples', 'deprecated', 'readOnly', 'writeOnly']);

/**
 * The schema as `output_config.format` and strict tools take it: closed objects, no bounds. Null when it cannot be said there:
 * maps and free-form objects (the model could only answer `{}`), references to itself or elsewhere, too many optional members.
 * https://platform.claude.com/docs/en/build-with-claude/structured-outputs#json-schema-limitations
 */
export function strictSchema(schema: JsonObject): StrictSchema | null {
  const walk = new Walk(schema);
  const strict = walk.node(schema, 0);
  if (walk.impossible || walk.optional > MAX_OPTIONAL || isReferringToItself(schema)) return null;
  return { schema: strict, loosened: [...walk.loosened] };
}

class Walk {
  readonly loosened = new Set<string>();
  optional = 0;
  impossible = false;
  readonly #root: JsonObject;

  constructor(root: JsonObject) {
    this.#root = root;
  }

  node(schema: JsonObject, depth: number): JsonObject {
    if (depth > MAX_DEPTH || isOpen(schema)) this.impossible = true;
    if (this.impossible) return {};
    const out: Record<string, unknown> = {};
    const notes: string[] = [];
    for (const [keyword, value] of Object.entries(schema)) this.#keyword(out, notes, { keyword, value, depth });
    if (isObject(schema['properties'])) {
      out['additionalProperties'] = false;
      const required = listIn(schema, 'required');
      this.optional += Object.keys(schema['properties']).filter((name) => !required.includes(name)).length;
    }
    if (notes.length > 0)
      out['description'] = [stringIn(schema, 'description'), ...notes].filter((line) => line !== null).join('\n');
    return out;
  }

  #keyword(
    out: Record<string, unknown>,
    notes: string[],
    { keyword, value, depth }: { readonly keyword: string; readonly value: unknown; readonly depth: number },
  ): void {
    const list = LISTS[keyword];
    if (KEPT.has(keyword)) out[keyword] = value;
    else if (MAPS.has(keyword) && isObject(value)) out[keyword] = this.#map(value, depth);
    else if (list !== undefined && Array.isArray(value)) out[list] = value.map((each) => this.#sub(each, depth));
    else if (keyword === 'items' && isObject(value)) out['items'] = this.node(value, depth + 1);
    else if (keyword === 'format' && FORMATS.has(String(value))) out['format'] = value;
    else if (keyword === 'minItems' && (value === 0 || value === 1)) out['minItems'] = value;
    else if (keyword !== 'additionalProperties' && !COMMENTS.has(keyword)) {
      this.loosened.add(keyword);
      notes.push(`${keyword}: ${JSON.stringify(value)}`);
    }
    if (keyword === '$ref' && resolve(this.#root, value) === null) this.impossible = true;
  }

  #map(schemas: JsonObject, depth: number): JsonObject {
    return Object.fromEntries(Object.entries(schemas).map(([name, each]) => [name, this.#sub(each, depth)]));
  }

  #sub(schema: unknown, depth: number): unknown {
    return isObject(schema) ? this.node(schema, depth + 1) : schema;
  }
}

/** An object whose members are not all named. */
function isOpen(schema: JsonObject): boolean {
  const more = schema['additionalProperties'];
  if (more === true || isObject(more) || isObject(schema['patternProperties'])) return true;
  const type = schema['type'];
  const isObjectType = type === 'object' || (Array.isArray(type) && type.includes('object'));
  return isObjectType && !isObject(schema['properties']) && more !== false;
}

/** `#/$defs/Name` and `#/definitions/Name`; null for everything else. */
function resolve(root: JsonObject, reference: unknown): JsonObject | null {
  const [, where = '', name = ''] = /^#\/(\$defs|definitions)\/([^/]+)$/.exec(String(reference)) ?? [];
  return where === '' ? null : objectIn(objectIn(root, where), name.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function isReferringToItself(root: JsonObject): boolean {
  const finished = new Set<string>();
  const visit = (node: unknown, path: ReadonlySet<string>): boolean => {
    if (Array.isArray(node)) return node.some((each) => visit(each, path));
    if (!isObject(node)) return false;
    const reference = stringIn(node, '$ref');
    if (reference !== null) {
      if (path.has(reference)) return true;
      if (!finished.has(reference) && visit(resolve(root, reference), new Set(path).add(reference))) return true;
      finished.add(reference);
    }
    return Object.values(node).some((each) => visit(each, path));
  };
  return visit(root, new Set());
}

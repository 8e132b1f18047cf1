import { parse } from 'yaml';
import { inputSchema, type SchemaNode } from './schema.js';

/** `${VAR}` and `file:/path` may stand for a value of any type. */
const REFERENCE = { type: 'string', pattern: '^file:|\\$\\{' } as const;

/** A string without a pattern takes a reference as it is. */
const TYPED: ReadonlySet<string> = new Set(['integer', 'number', 'boolean']);

/** JSON Schema (2020-12) of the configuration, for completion and checks in editors. */
export function editorSchema(): Readonly<Record<string, unknown>> {
  return { title: 'Tollgate configuration', ...forEditors(inputSchema()) };
}

/** Standard words only: our `example` becomes `examples`, and formats that only we know stay hints. */
function forEditors(node: SchemaNode): Readonly<Record<string, unknown>> {
  const { example, ...rest } = node;
  const inner = Object.fromEntries(Object.entries(rest).map(([name, value]) => [name, below(name, value)]));
  const examples = example === undefined ? {} : { examples: [parse(example)] };
  const isTyped = node.enum !== undefined || node.pattern !== undefined || TYPED.has(node.type ?? '');
  if (!isTyped) return { ...inner, ...examples };
  const { description, default: fallback, ...value } = inner;
  return {
    ...(description === undefined ? {} : { description }),
    ...(fallback === undefined ? {} : { default: fallback }),
    ...examples,
    anyOf: [value, REFERENCE],
  };
}

function below(name: string, value: unknown): unknown {
  if (name === 'properties' && isObject(value)) {
    return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, forEditors(child as SchemaNode)]));
  }
  if (name === 'anyOf' && Array.isArray(value)) return value.map((branch) => forEditors(branch as SchemaNode));
  if ((name === 'items' || name === 'additionalProperties') && isObject(value)) return forEditors(value as SchemaNode);
  return value;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

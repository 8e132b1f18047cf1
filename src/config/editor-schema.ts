import { parse } from 'yaml';
import { RETRY_WORDS } from './retry-on.js';
import { inputSchema, type SchemaNode } from './schema.js';

/** `${VAR}` and `file:/path` may stand for a value of any type. */
const REFERENCE = { type: 'string', pattern: '^file:|\\$\\{' } as const;

/** Formats that are also read from a bare number of YAML: a duration of 0, bytes, an amount. */
const NUMBER_TOO: ReadonlySet<string> = new Set(['time-span', 'time-span-or-off', 'size', 'decimal', 'share']);

/** A string without a pattern takes a reference as it is. */
const TYPED: ReadonlySet<string> = new Set(['integer', 'number', 'boolean']);

const RETRY_REASON = {
  anyOf: [{ type: 'integer', minimum: 400, maximum: 599 }, { enum: RETRY_WORDS }, REFERENCE],
};

/** JSON Schema (2020-12) of the configuration, for completion and checks in editors. */
export function editorSchema(): Readonly<Record<string, unknown>> {
  return { title: 'Tollgate configuration', ...forEditors(inputSchema()) };
}

/** Standard words only: our `example` becomes `examples`, and formats that only we know stay hints. */
function forEditors(node: SchemaNode): Readonly<Record<string, unknown>> {
  if (node.format === 'retry-reason') return RETRY_REASON;
  const { example, ...rest } = node;
  const inner = Object.fromEntries(Object.entries(rest).map(([name, value]) => [name, below(name, value)]));
  const examples = example === undefined ? {} : { examples: [parse(example)] };
  const isTyped = node.enum !== undefined || node.pattern !== undefined || TYPED.has(node.type ?? '');
  const isNumberToo = node.format !== undefined && NUMBER_TOO.has(node.format);
  if (!isTyped) return { ...inner, ...(isNumberToo ? { type: ['string', 'number'] } : {}), ...examples };
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

import type { Struct, Value } from './messages.js';

/** JSON-like data that dynamic metadata can carry. */
export type Plain = string | number | boolean | null | readonly Plain[] | { readonly [key: string]: Plain };

export function toValue(plain: Plain): Value {
  if (plain === null) return { null_value: 0 };
  if (typeof plain === 'string') return { string_value: plain };
  if (typeof plain === 'number') return { number_value: plain };
  if (typeof plain === 'boolean') return { bool_value: plain };
  if (Array.isArray(plain)) return { list_value: { values: plain.map(toValue) } };
  return { struct_value: toStruct(plain as { readonly [key: string]: Plain }) };
}

export function toStruct(plain: { readonly [key: string]: Plain }): Struct {
  const fields: Record<string, Value> = {};
  for (const [key, value] of Object.entries(plain)) fields[key] = toValue(value);
  return { fields };
}

export function stringField(struct: Struct | undefined, name: string): string | undefined {
  return struct?.fields?.[name]?.string_value;
}

export function numberField(struct: Struct | undefined, name: string): number | undefined {
  return struct?.fields?.[name]?.number_value;
}

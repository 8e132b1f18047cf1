/** A parsed JSON object of unknown content. */
export type JsonObject = Readonly<Record<string, unknown>>;

const NOTHING: readonly unknown[] = [];

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value as an object, or null. With `value['usage']` cheaper than `objectIn`, for names that no object inherits. */
export function asObject(value: unknown): JsonObject | null {
  return isObject(value) ? value : null;
}

/** The member as an object, or null. Own properties only, so `__proto__` in the input means nothing. */
export function objectIn(value: unknown, key: string): JsonObject | null {
  const member = isObject(value) && Object.hasOwn(value, key) ? value[key] : null;
  return isObject(member) ? member : null;
}

/** The member as a string, or null when it is anything else. */
export function stringIn(value: unknown, key: string): string | null {
  const member = isObject(value) && Object.hasOwn(value, key) ? value[key] : null;
  return typeof member === 'string' ? member : null;
}

/** The member as a list, empty when it is anything else. */
export function listIn(value: unknown, key: string): readonly unknown[] {
  return isObject(value) && Object.hasOwn(value, key) ? asList(value[key]) : NOTHING;
}

/** The value as a list, empty when it is anything else. */
export function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : NOTHING;
}

/** The member as a finite number ≥ 0, or null. */
export function amountIn(value: unknown, key: string): number | null {
  return isObject(value) && Object.hasOwn(value, key) ? amountOf(value[key]) : null;
}

/** The value as a finite number ≥ 0, or null. */
export function amountOf(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : null;
}

/** Parses text that a provider wrote; undefined when it is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

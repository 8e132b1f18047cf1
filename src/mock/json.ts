/** A JSON object as parsed: every field is unknown until looked at. */
export type JsonObject = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function objectOr(value: unknown, otherwise: JsonObject = {}): JsonObject {
  return isObject(value) ? value : otherwise;
}

export function listOr(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

export function textOr(value: unknown, otherwise = ''): string {
  return typeof value === 'string' ? value : otherwise;
}

/** A whole number within bounds, or the default for anything else. */
export function countOr(value: unknown, otherwise: number, most: number): number {
  return typeof value === 'number' && Number.isInteger(value) && value > 0 ? Math.min(value, most) : otherwise;
}

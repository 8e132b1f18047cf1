import { isObject, type JsonObject } from '../../json-value.js';

/** What the app wrote is not ours to rename. */
const APPS_OWN: ReadonlySet<string> = new Set([
  'args',
  'response',
  'parameters',
  'parametersJsonSchema',
  'responseSchema',
  'responseJsonSchema',
  'labels',
]);

/** Google's servers read both spellings: `system_instruction` is `systemInstruction`. */
export function inCamelCase(request: JsonObject): JsonObject {
  const members = Object.entries(request).map(([key, value]) => {
    const name = camelCase(key);
    return [name, APPS_OWN.has(name) ? value : renamed(value)];
  });
  return Object.fromEntries(members);
}

function renamed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(renamed);
  return isObject(value) ? inCamelCase(value) : value;
}

export function camelCase(key: string): string {
  return key.includes('_') ? key.replace(/_([a-z])/g, (_all, letter: string) => letter.toUpperCase()) : key;
}

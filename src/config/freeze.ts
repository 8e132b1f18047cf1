import { Secret } from '../observability/secret.js';

/** Freezes an object and all it holds. Maps and sets refuse changes too, which `Object.freeze` alone does not do. */
export function freeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  if (value instanceof Secret) return Object.freeze(value);
  if (value instanceof Map) {
    for (const item of value.values()) freeze(item);
  }
  if (value instanceof Map || value instanceof Set) {
    for (const method of ['set', 'add', 'delete', 'clear']) Object.defineProperty(value, method, { value: refuse });
  }
  for (const item of Object.values(value)) freeze(item);
  return Object.freeze(value);
}

function refuse(): never {
  throw new TypeError('a snapshot cannot be changed');
}

/** Adds a member to a schema that is being written, also one named `__proto__`. */
export function set(into: Record<string, unknown>, key: string, value: unknown): void {
  Object.defineProperty(into, key, { value, enumerable: true, writable: true, configurable: true });
}

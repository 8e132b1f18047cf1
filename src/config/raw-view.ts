/**
 * Careful reading of a configuration whose shape may be wrong: what is not as expected is simply not there.
 * Its mistakes of shape are reported elsewhere; here they must only do no harm.
 */
export function entriesOf(raw: unknown, name: string): readonly (readonly [string, unknown])[] {
  const value = fieldOf(raw, name);
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : [];
}

export function itemsOf(raw: unknown, name: string): readonly unknown[] {
  const value = fieldOf(raw, name);
  return Array.isArray(value) ? value : [];
}

export function fieldOf(raw: unknown, name: string): unknown {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) return undefined;
  return (raw as Record<string, unknown>)[name];
}

/** True when the setting is written down, even if its reference could not be resolved. */
export function has(raw: unknown, name: string): boolean {
  return typeof raw === 'object' && raw !== null && name in raw && fieldOf(raw, name) !== null;
}

export function textOf(raw: unknown, name: string): string | null {
  const value = fieldOf(raw, name);
  return typeof value === 'string' ? value : null;
}

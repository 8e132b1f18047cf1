import { createHash } from 'node:crypto';
import { Secret } from '../observability/secret.js';
import type { Snapshot } from './snapshot.js';

/**
 * Adds the version: the first 12 hex digits of the SHA-256 over all values. Secrets count by their digest, so that a
 * rotated credential is a new version although nothing of it can be read back.
 */
export function withVersion(snapshot: Omit<Snapshot, 'version'>): Snapshot {
  const { path: _path, ...values } = snapshot;
  const text = JSON.stringify(plain(values));
  return { version: digest(text).slice(0, 12), ...snapshot };
}

function plain(value: unknown): unknown {
  if (value instanceof Secret) return digest(value.reveal());
  if (typeof value === 'bigint') return `${value}n`;
  if (value instanceof Map) return plain([...value.entries()]);
  if (value instanceof Set) return plain([...value]);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([name, item]) => [name, plain(item)]);
  return Object.fromEntries(entries.sort(([left], [right]) => (String(left) < String(right) ? -1 : 1)));
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

import type { FinalEntry } from '../ledger/entry.js';

/** Whom a request is for, by a field as configured: `key.labels.<name>`, `user` or `key`. Empty when it names nobody. */
export function customerOf(entry: Pick<FinalEntry, 'key' | 'user' | 'labels'>, field: string): string {
  if (field === 'user') return entry.user;
  if (field === 'key' || field === 'key.id') return entry.key;
  const label = field.startsWith('key.labels.') ? field.slice('key.labels.'.length) : field;
  return Object.hasOwn(entry.labels, label) ? (entry.labels[label] ?? '') : '';
}

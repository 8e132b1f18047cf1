import type { Subject } from '../../config/condition.js';
import type { PartitionField } from '../../config/limit-rules.js';

export type ReadField = (subject: Subject) => string | undefined;

const PLAIN: ReadonlyMap<string, ReadField> = new Map<string, ReadField>([
  ['key.id', (subject) => subject.key.id],
  ['request.user', (subject) => subject.request.user],
  ['request.model', (subject) => subject.request.model],
  ['request.endpoint', (subject) => subject.request.endpoint],
]);

const NAMED: readonly (readonly [prefix: string, read: (name: string) => ReadField])[] = [
  ['key.labels.', (name) => (subject) => own(subject.key.labels, name)],
  ['request.metadata.', (name) => (subject) => own(subject.request.metadata, name)],
  ['request.headers.', (name) => (subject) => subject.request.header(name.toLowerCase())],
];

/**
 * How to read `key.id` or `key.labels.team` from a request; null: not a field that the index knows. Everything behind the
 * second dot is the name, dots included. A missing value is undefined.
 */
export function fieldReader(field: string): ReadField | null {
  const plain = PLAIN.get(field);
  if (plain !== undefined) return plain;
  for (const [prefix, read] of NAMED) if (field.startsWith(prefix)) return read(field.slice(prefix.length));
  return null;
}

/** `key.labels.team` as the configuration writes it. */
export function fieldName(field: PartitionField): string {
  return 'name' in field ? `${field.kind}.${field.name}` : field.kind;
}

/** Names come from outside: `toString` is a label like any other. */
function own(values: Readonly<Record<string, string>>, name: string): string | undefined {
  return Object.hasOwn(values, name) ? values[name] : undefined;
}

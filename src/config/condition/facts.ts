import type { Subject } from '../condition.js';

/** Types of the values that an expression can name, in the words of CEL. */
export type FactType = 'string' | 'bool' | 'int' | 'double' | 'map<string, string>';

/** One thing that an expression names, and how to get it. */
export interface Fact {
  /** The same for the same thing, however it is written: `key.labels.team`. */
  readonly name: string;
  readonly type: FactType;
  /** The limit whose state it is. */
  readonly limit?: string;
  read(subject: Subject): unknown;
}

/** What holds entries by name. */
export type Entries = 'key.labels' | 'request.metadata' | 'request.headers';

const FIELDS: Readonly<Record<string, readonly string[]>> = {
  request: ['model', 'endpoint', 'stream', 'headers', 'metadata', 'user', 'input_tokens', 'tools'],
  key: ['id', 'labels'],
};

export const ROOTS: readonly string[] = ['request', 'key', 'limit'];
export const LIMIT_FIELDS = ['used', 'max', 'ratio'] as const;

/** Their values never reach an expression, a counter or a log. */
const SECRET_HEADERS: ReadonlySet<string> = new Set([
  'authorization',
  'proxy-authorization',
  'api-key',
  'x-api-key',
  'x-goog-api-key',
  'cookie',
]);

const PLAIN: readonly Fact[] = [
  { name: 'request.model', type: 'string', read: ({ request }) => request.model },
  { name: 'request.endpoint', type: 'string', read: ({ request }) => request.endpoint },
  { name: 'request.user', type: 'string', read: ({ request }) => request.user },
  { name: 'request.stream', type: 'bool', read: ({ request }) => request.stream },
  { name: 'request.tools', type: 'bool', read: ({ request }) => request.tools },
  // CEL's integers are BigInt, and an estimate need not be whole.
  { name: 'request.input_tokens', type: 'int', read: ({ request }) => BigInt(Math.ceil(request.inputTokens())) },
  { name: 'key.id', type: 'string', read: ({ key }) => key.id },
  { name: 'key.labels', type: 'map<string, string>', read: ({ key }) => new Map(Object.entries(key.labels)) },
  {
    name: 'request.metadata',
    type: 'map<string, string>',
    read: ({ request }) => new Map(Object.entries(request.metadata)),
  },
];

const PLAIN_BY_NAME: ReadonlyMap<string, Fact> = new Map(PLAIN.map((fact) => [fact.name, fact]));

/** Fields of `request` or `key`. */
export function fieldsOf(root: string): readonly string[] {
  return Object.hasOwn(FIELDS, root) ? (FIELDS[root] ?? []) : [];
}

export function isEntries(name: string): name is Entries {
  return name === 'key.labels' || name === 'request.metadata' || name === 'request.headers';
}

/** By lower-case name. */
export function isSecretHeader(name: string): boolean {
  return SECRET_HEADERS.has(name);
}

/** A field without a name in it; null for `request.headers`, which has no value as a whole. */
export function plainFact(name: string): Fact | null {
  return PLAIN_BY_NAME.get(name) ?? null;
}

/** One label, metadata entry or header. What is not there reads as the empty text. */
export function entryFact(of: Entries, entry: string): Fact {
  const find = entryReader(of, entry);
  return { name: `${of}.${entry}`, type: 'string', read: (subject) => find(subject) ?? '' };
}

/** Whether it is there. */
export function hasEntryFact(of: Entries, entry: string): Fact {
  const find = entryReader(of, entry);
  return { name: `has ${of}.${entry}`, type: 'bool', read: (subject) => find(subject) !== undefined };
}

export function limitFact(limit: string, field: (typeof LIMIT_FIELDS)[number]): Fact {
  const read = (subject: Subject) => subject.limit(limit)[field];
  return { name: `limit.${limit}.${field}`, type: 'double', limit, read };
}

function entryReader(of: Entries, entry: string): (subject: Subject) => string | undefined {
  if (of === 'key.labels') return ({ key }) => own(key.labels, entry);
  if (of === 'request.metadata') return ({ request }) => own(request.metadata, entry);
  const name = entry.toLowerCase();
  return ({ request }) => request.header(name);
}

function own(entries: Readonly<Record<string, string>>, name: string): string | undefined {
  return Object.hasOwn(entries, name) ? entries[name] : undefined;
}

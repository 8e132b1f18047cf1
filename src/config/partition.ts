import { isSecretHeader } from './condition/facts.js';
import type { PartitionField } from './limit-rules.js';
import { shown } from './problem.js';
import { didYouMean } from './suggest.js';

const PLAIN = ['key.id', 'request.user', 'request.model', 'request.endpoint'] as const;
const ENTRIES = ['key.labels', 'request.metadata', 'request.headers'] as const;
const ENTRY = /^(?<of>[\w.]+?)(?:\.(?<name>[\w-]+)|\["(?<double>[^"\p{Cc}]+)"\]|\['(?<single>[^'\p{Cc}]+)'\])$/u;

/** `key.id`, `key.labels.team`, `request.headers["x-team"]`… */
export function parsePartition(text: string): { readonly value: PartitionField } | { readonly problem: string } {
  const plain = PLAIN.find((kind) => kind === text);
  if (plain !== undefined) return { value: { kind: plain } };
  const { of = '', name, double, single } = ENTRY.exec(text)?.groups ?? {};
  const kind = ENTRIES.find((kind) => kind === of);
  const entry = name ?? double ?? single;
  if (kind === undefined || entry === undefined) return { problem: unknownField(text, of, entry) };
  if (kind !== 'request.headers') return { value: { kind, name: entry } };
  const header = entry.toLowerCase();
  if (isSecretHeader(header)) return { problem: `the header ${shown(header)} carries a secret and cannot be read` };
  return { value: { kind, name: header } };
}

export function formatPartition(field: PartitionField): string {
  if (!('name' in field)) return field.kind;
  return /^[\w-]+$/.test(field.name) ? `${field.kind}.${field.name}` : `${field.kind}["${field.name}"]`;
}

function unknownField(text: string, of: string, entry: string | undefined): string {
  if (ENTRIES.some((kind) => kind === text)) return `${text} needs a name, such as ${text}.team`;
  const known = didYouMean(of, ENTRIES);
  // What was found is the part before the name of the label.
  const suggestion =
    didYouMean(text, PLAIN) || (entry === undefined || known === '' ? '' : known.replace(/"\?$/, `.${entry}"?`));
  const all = [...PLAIN, ...ENTRIES.map((kind) => `${kind}.<name>`)].join(', ');
  return `unknown field ${shown(text)}${suggestion || `; known are ${all}`}`;
}

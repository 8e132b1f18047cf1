import { hash } from 'node:crypto';
import { USAGE_CLASSES } from '../../dialects/usage.js';
import type { FinalEntry } from '../ledger/entry.js';
import { columnText } from './column-text.js';
import type { Value } from './sql/database.js';

/** A final entry as the database takes it. */
export interface RequestRow {
  readonly id: string;
  /** Epoch milliseconds. */
  readonly time: number;
  readonly finished: number;
  readonly ms: number;
  /** Digest of `group`. */
  readonly dimension: string;
  /** Values of `GROUP_COLUMNS`, then the labels as JSON. */
  readonly group: readonly Value[];
  /** Values of `SUM_COLUMNS`. */
  readonly sums: readonly number[];
  /** Values of the columns of `REQUESTS`. */
  readonly values: readonly Value[];
}

/** @param text the entry's JSON, where somebody has it */
export function requestRow(entry: FinalEntry, source: string, text = JSON.stringify(entry)): RequestRow {
  const time = Math.max(0, Math.trunc(Date.parse(entry.time)) || 0);
  const ms = Math.max(0, whole(entry.ms));
  const group = groupOf(entry);
  const dimension = dimensionOf(JSON.stringify(group));
  const sums = sumsOf(entry);
  const row = { id: columnText(entry.id), time, finished: time + ms, ms, dimension, group, sums };
  return { ...row, values: valuesOf(entry, row, { source, text }) };
}

/** Many requests are of few groups. */
const MOST_KNOWN = 1_000;
const known = new Map<string, string>();

function dimensionOf(group: string): string {
  let dimension = known.get(group);
  if (dimension === undefined) {
    dimension = hash('sha256', group, 'base64url').slice(0, 22);
    if (known.size >= MOST_KNOWN) known.clear();
    known.set(group, dimension);
  }
  return dimension;
}

/** As `groupOf` and the filters of queries see it. */
export function providerOf(target: string | null): string {
  return columnText(target?.split('/', 1)[0] ?? '');
}

/** Labels sorted by name: the same labels are the same group however they were written. */
function labelsOf(entry: FinalEntry): string {
  const pairs = Object.entries(entry.labels).map(([name, value]) => [columnText(name), columnText(value)] as const);
  pairs.sort(([left], [right]) => (left < right ? -1 : 1));
  // Not by an object: a label named `__proto__` would be lost.
  return `{${pairs.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(',')}}`;
}

function groupOf(entry: FinalEntry): readonly Value[] {
  return [
    columnText(entry.key),
    columnText(entry.user),
    columnText(entry.endpoint),
    columnText(entry.model),
    columnText(entry.target ?? ''),
    providerOf(entry.target),
    whole(entry.status),
    columnText(entry.code ?? ''),
    labelsOf(entry),
  ];
}

function sumsOf(entry: FinalEntry): readonly number[] {
  const known = entry.cost_nano_usd !== null;
  const used = entry.type === 'settle' || entry.type === 'estimate';
  const estimated = entry.usage_source === 'estimated' || entry.usage_source === 'mixed';
  return [
    1,
    Number(entry.status >= 400),
    Number(estimated),
    Number(known && used),
    Number(!known),
    whole(entry.cost_nano_usd),
    ...USAGE_CLASSES.map((name) => whole(entry.usage[name])),
  ];
}

interface Written {
  readonly source: string;
  readonly text: string;
}

function valuesOf(entry: FinalEntry, row: Omit<RequestRow, 'values'>, { source, text }: Written): readonly Value[] {
  const [key = '', user = '', endpoint = '', model = '', target = '', provider = '', status = 0, , labels = '{}'] =
    row.group;
  return [
    row.id,
    source,
    entry.type,
    row.time,
    row.finished,
    key,
    user,
    endpoint,
    model,
    orNull(entry.route),
    entry.target === null ? null : target,
    entry.target === null ? null : provider,
    orNull(entry.answered_model),
    Number(entry.stream),
    status,
    orNull(entry.code),
    entry.usage_source,
    entry.cost_nano_usd === null ? null : whole(entry.cost_nano_usd),
    ...USAGE_CLASSES.map((name) => whole(entry.usage[name])),
    entry.first_token_ms === null ? null : whole(entry.first_token_ms),
    row.ms,
    labels,
    row.dimension,
    text,
  ];
}

function orNull(text: string | null): string | null {
  return text === null ? null : columnText(text);
}

/** Integers that are exact as a JavaScript number; anything else would be a broken entry. */
function whole(value: number | null | undefined): number {
  const number = Math.round(value ?? 0);
  return Number.isSafeInteger(number) ? number : 0;
}

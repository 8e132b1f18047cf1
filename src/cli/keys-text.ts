import { createHash } from 'node:crypto';
import { stringify } from 'yaml';
import type { KeyView } from '../policy/keys/key-desk.js';

/** What is given on the command line, as an entry of `keys` has it. */
export interface FixedKeyFields {
  readonly id: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly models?: readonly string[];
  readonly endpoints?: readonly string[];
  readonly expires?: string;
}

/** The secret and the YAML that lets it in. Only the hash goes into the file, so the file is no secret. */
export function fixedKeyText(secret: string, { id, ...bounds }: FixedKeyFields): string {
  const entry = { id, hash: `sha256:${createHash('sha256').update(secret).digest('hex')}`, ...bounds };
  const yaml = stringify([entry], { lineWidth: 0 }).replaceAll(/^(?=.)/gm, '  ');
  return `The key (shown only now):\n\n${secret}\n\nAdd to the config file:\n\nkeys:\n${yaml}`;
}

const COLUMNS: readonly (readonly [title: string, cell: (key: KeyView) => string])[] = [
  ['ID', (key) => key.id],
  ['SOURCE', (key) => key.source],
  ['STATE', (key) => key.state],
  ['LABELS', (key) => pairs(key.labels)],
  ['MODELS', (key) => key.models?.join(',') ?? '*'],
  ['EXPIRES', (key) => key.expires ?? 'never'],
];

/** One line a key, columns padded. */
export function keyTable(keys: readonly KeyView[]): string {
  const all = [COLUMNS.map(([title]) => title), ...keys.map((key) => COLUMNS.map(([, cell]) => cell(key)))];
  const widths = COLUMNS.map((_, column) => Math.max(...all.map((cells) => (cells[column] ?? '').length)));
  const line = (cells: readonly string[]): string =>
    cells.map((cell, column) => (column === cells.length - 1 ? cell : cell.padEnd(widths[column] ?? 0))).join('  ');
  return all.map((cells) => `${line(cells)}\n`).join('');
}

/** Everything about one key, a line each. */
export function keyText(key: KeyView): string {
  const lines: readonly (readonly [string, string | null])[] = [
    ['id', key.id],
    ['source', key.source],
    ['state', key.state],
    ['labels', pairs(key.labels)],
    ['models', key.models?.join(', ') ?? '*'],
    ['endpoints', key.endpoints?.join(', ') ?? '*'],
    ['expires', key.expires ?? 'never'],
    ['metadata', pairs(key.metadata)],
    ['created', key.created],
    ['changed', key.changed === null ? null : `${key.changed} by ${key.changed_by}`],
    ['revoked', key.revoked],
    ['old secrets valid until', key.old_secrets_until.join(', ') || null],
  ];
  return lines.flatMap(([name, value]) => (value === null ? [] : [`${name}: ${value}\n`])).join('');
}

function pairs(map: Readonly<Record<string, string>>): string {
  const all = Object.entries(map).map(([name, value]) => `${name}=${value}`);
  return all.join(',') || '-';
}

import { createHash } from 'node:crypto';
import { Command, Option } from 'commander';
import { stringify } from 'yaml';
import type { FixedKey } from '../config/snapshot.js';
import { generateKey } from '../policy/keys/key-format.js';
import { withConfigFlag } from './flags.js';
import { readSnapshot } from './read-snapshot.js';
import { UserError } from './user-error.js';

const NOT_YET = `not yet supported: issued keys come with the store.
Until then keys are fixed in the config file. To add one:
  tollgate keys create --fixed --id web
prints a new secret and the lines for the "keys" section; the running gateway takes them over as soon as the file is saved.`;

interface CreateFlags {
  readonly fixed?: boolean;
  readonly id: string;
  readonly label: Readonly<Record<string, string>>;
  readonly model: readonly string[];
}

/** `tollgate keys`: the gateway's own keys. */
export function keysCommand(): Command {
  const keys = new Command('keys').description('gateway keys: make a fixed one, list them');
  keys
    .command('create')
    .description('make a key')
    .option('--fixed', 'print a new secret and the lines for the config file')
    .option('--id <id>', 'name of the key in logs and records', 'app')
    .option('--label <name=value>', 'label, may be repeated', collectLabel, {})
    .option('--model <glob>', 'model the key may use, may be repeated', collect, [])
    .action(create);
  withConfigFlag(keys.command('list'))
    .description('list the keys of the configuration')
    .addOption(new Option('--format <format>', 'how to print').choices(['table', 'json']).default('table'))
    .action(list);
  const todo = { rotate: 'give a key a second secret for a while', revoke: 'end a key at once' };
  for (const [name, text] of Object.entries(todo)) {
    keys
      .command(name)
      .description(`${text} (not yet supported)`)
      .argument('[id]')
      .action(() => refuse(`\`keys ${name}\` is ${name === 'rotate' ? NOT_YET : REVOKE}`));
  }
  return keys;
}

const REVOKE = `not yet supported: issued keys come with the store.
To end a fixed key, remove it from the "keys" section of the config file (or give it \`expires\`); the running gateway
refuses it as soon as the file is saved.`;

function create(flags: CreateFlags): void {
  if (flags.fixed !== true) refuse(`\`keys create\` without --fixed is ${NOT_YET}`);
  const { text } = generateKey();
  process.stdout.write(`${fixedKeyText(text, flags)}`);
}

/** The secret and the YAML that lets it in. Only the hash goes into the file, so the file is no secret. */
export function fixedKeyText(secret: string, flags: Pick<CreateFlags, 'id' | 'label' | 'model'>): string {
  const entry = {
    id: flags.id,
    hash: `sha256:${createHash('sha256').update(secret).digest('hex')}`,
    ...(Object.keys(flags.label).length > 0 ? { labels: flags.label } : {}),
    ...(flags.model.length > 0 ? { models: flags.model } : {}),
  };
  const yaml = stringify([entry], { lineWidth: 0 }).replaceAll(/^(?=.)/gm, '  ');
  return `The key (shown only now):\n\n${secret}\n\nAdd to the config file:\n\nkeys:\n${yaml}`;
}

function list(flags: { readonly config?: string; readonly format: string }): void {
  const { keys } = readSnapshot(flags.config);
  const text = flags.format === 'json' ? `${JSON.stringify(keys.map(row), null, 2)}\n` : table(keys);
  process.stdout.write(text);
}

function row(key: FixedKey): Readonly<Record<string, unknown>> {
  const expires = key.expiresAt === null ? null : new Date(key.expiresAt).toISOString();
  return { id: key.id, kind: 'fixed', labels: key.labels, models: key.models, expires };
}

/** One line a key, columns padded. */
export function table(keys: readonly FixedKey[]): string {
  const rows = keys.map((key) => [
    key.id,
    Object.entries(key.labels)
      .map(([name, value]) => `${name}=${value}`)
      .join(',') || '-',
    key.models?.join(',') ?? '*',
    key.expiresAt === null ? 'never' : new Date(key.expiresAt).toISOString(),
  ]);
  const all = [['ID', 'LABELS', 'MODELS', 'EXPIRES'], ...rows];
  const widths = [0, 1, 2].map((column) => Math.max(...all.map((cells) => (cells[column] ?? '').length)));
  return all.map((cells) => `${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}\n`).join('');
}

function collect(value: string, previous: readonly string[]): readonly string[] {
  return [...previous, value];
}

function collectLabel(text: string, previous: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const at = text.indexOf('=');
  if (at < 1) throw new UserError(`--label ${text}: must be name=value`);
  return { ...previous, [text.slice(0, at)]: text.slice(at + 1) };
}

function refuse(message: string): never {
  throw new UserError(message);
}

import { Command, Option } from 'commander';
import { parseDuration } from '../config/quantity.js';
import { readKeyChange } from '../policy/keys/key-change.js';
import type { ChangedKey, KeyDesk, KeyView } from '../policy/keys/key-desk.js';
import { generateKey } from '../policy/keys/key-format.js';
import { withConfigFlag } from './flags.js';
import { withDesk } from './keys-desk.js';
import { type FixedKeyFields, fixedKeyText, keyTable, keyText } from './keys-text.js';
import { UserError } from './user-error.js';

type Pairs = Readonly<Record<string, string>>;

interface CommonFlags {
  readonly config?: string;
  readonly json?: boolean;
}

interface CreateFlags extends CommonFlags {
  readonly fixed?: boolean;
  readonly id?: string;
  readonly label?: Pairs;
  readonly model?: readonly string[];
  readonly endpoint?: readonly string[];
  readonly expires?: string;
  readonly metadata?: Pairs;
}

interface ListFlags extends CommonFlags {
  readonly format: 'table' | 'json';
}

interface RotateFlags extends CommonFlags {
  readonly grace: string;
}

const HELP = `
Keys are kept by the running gateway; without one they are changed in its store, and a gateway that starts later has them.
A key of the config file is changed there: its entry is edited or removed, and the running gateway follows.

  $ tollgate keys create --label team=search --model smart --expires 2027-01-01
  $ tollgate keys rotate ID --grace 1h
  $ tollgate keys revoke ID`;

/** `tollgate keys`: the gateway's own keys. */
export function keysCommand(): Command {
  const keys = new Command('keys').description('gateway keys: make, list, rotate, revoke').addHelpText('after', HELP);
  withCommonFlags(keys.command('create'))
    .description('make a key; its secret is shown only now')
    .option('--label <name=value>', 'label, may be repeated', collectPair)
    .option('--model <glob>', 'model that the key may use, may be repeated (default: all)', collect)
    .option('--endpoint <glob>', 'path that the key may use, may be repeated (default: all)', collect)
    .option('--expires <time>', 'date, time, or from now on: 2027-01-01, 720h')
    .option('--metadata <name=value>', 'text of your own, may be repeated', collectPair)
    .option('--fixed', 'only print a new secret and the lines for the config file')
    .option('--id <id>', 'with --fixed: name of the key in logs and records (default: app)')
    .action(create);
  withCommonFlags(keys.command('list'))
    .description('list all keys, without secrets')
    .addOption(new Option('--format <format>', 'how to print').choices(['table', 'json']).default('table'))
    .action(list);
  withCommonFlags(keys.command('show'))
    .description('show one key, without its secret')
    .argument('<id>')
    .action((id: string, flags: CommonFlags) =>
      withDesk(flags.config, async (desk) => show(await desk.get(id), flags)),
    );
  withCommonFlags(keys.command('rotate'))
    .description('give a key a new secret; the old one stays valid for a while')
    .argument('<id>')
    .option('--grace <duration>', 'how long the old secret stays valid', '1h')
    .action((id: string, flags: RotateFlags) =>
      withDesk(flags.config, async (desk) =>
        tell(await desk.change(readKeyChange('rotate', id, { grace: flags.grace })), flags),
      ),
    );
  withCommonFlags(keys.command('revoke'))
    .description('end a key at once and for good; running requests finish')
    .argument('<id>')
    .action((id: string, flags: CommonFlags) =>
      withDesk(flags.config, async (desk) => tell(await desk.change(readKeyChange('revoke', id, {})), flags)),
    );
  return keys;
}

function withCommonFlags(command: Command): Command {
  return withConfigFlag(command).option('--json', 'print JSON');
}

async function create(flags: CreateFlags): Promise<void> {
  if (flags.fixed) {
    process.stdout.write(fixedKeyText(generateKey().text, fixedFields(flags)));
    return;
  }
  if (flags.id !== undefined) throw new UserError('--id: the id of an issued key is made up; --fixed takes one');
  const { label: labels = {}, model: models = null, endpoint: endpoints = null, metadata = {} } = flags;
  const body = { labels, metadata, models, endpoints, expires: expiry(flags.expires) };
  await withDesk(flags.config, async (desk) => tell(await desk.change(readKeyChange('create', '', body)), flags));
}

function fixedFields({ id = 'app', label, metadata, model, endpoint, expires }: CreateFlags): FixedKeyFields {
  const end = expiry(expires);
  return {
    id,
    ...(label ? { labels: label } : {}),
    ...(metadata ? { metadata } : {}),
    ...(model ? { models: model } : {}),
    ...(endpoint ? { endpoints: endpoint } : {}),
    ...(end === null ? {} : { expires: end }),
  };
}

/** ISO 8601 of a duration from now; any other text as it is. */
function expiry(text: string | undefined): string | null {
  const milliseconds = text === undefined ? null : parseDuration(text);
  return milliseconds === null ? (text ?? null) : new Date(Date.now() + milliseconds).toISOString();
}

async function list(flags: ListFlags): Promise<void> {
  const keys = await withDesk(flags.config, allKeys);
  const json = flags.json || flags.format === 'json';
  process.stdout.write(json ? `${JSON.stringify(keys, null, 2)}\n` : keyTable(keys));
}

async function allKeys(desk: KeyDesk): Promise<readonly KeyView[]> {
  const keys: KeyView[] = [];
  for (let cursor: string | null = null; ; ) {
    const page: Awaited<ReturnType<KeyDesk['list']>> = await desk.list({ limit: 1000, cursor });
    keys.push(...page.data);
    cursor = page.next;
    if (cursor === null) return keys;
  }
}

function show(key: KeyView, { json }: CommonFlags): void {
  process.stdout.write(json ? `${JSON.stringify(key, null, 2)}\n` : keyText(key));
}

function tell({ key, secret }: ChangedKey, { json }: CommonFlags): void {
  const shown = secret === null ? '' : `The key (shown only now):\n\n${secret}\n\n`;
  const whole = secret === null ? key : { ...key, secret };
  process.stdout.write(json ? `${JSON.stringify(whole, null, 2)}\n` : shown + keyText(key));
}

function collect(value: string, previous: readonly string[] = []): readonly string[] {
  return [...previous, value];
}

function collectPair(text: string, previous: Pairs = {}): Pairs {
  const at = text.indexOf('=');
  if (at < 1) throw new UserError(`${text}: must be name=value`);
  return { ...previous, [text.slice(0, at)]: text.slice(at + 1) };
}

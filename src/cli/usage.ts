import { Command, Option } from 'commander';
import { withConfigFlag } from './flags.js';
import { readSnapshot } from './read-snapshot.js';
import { usageCsv } from './usage-csv.js';
import { monthStart, usageFocus } from './usage-focus.js';
import { fetchUsage } from './usage-source.js';
import { usageTable } from './usage-table.js';
import { UserError } from './user-error.js';

interface UsageFlags {
  readonly by: readonly string[];
  readonly from?: number;
  readonly to?: number;
  readonly format: 'table' | 'json' | 'csv' | 'focus';
  readonly config?: string;
}

/** `tollgate usage`: requests, tokens and cost by what you like. */
export function usageCommand(): Command {
  return withConfigFlag(new Command('usage'))
    .description('requests, tokens and cost; asks the running gateway, else reads the ledger')
    .option('--by <names>', 'model, target, provider, key, user, endpoint or any label, comma-separated', names, [
      'model',
    ])
    .option('--from <time>', 'requests since: 2026-11-01, 2026-11-01T08:00Z, or 24h, 7d ago', timeFlag)
    .option('--to <time>', 'requests before', timeFlag)
    .addOption(
      new Option('--format <format>', 'how to print').choices(['table', 'json', 'csv', 'focus']).default('table'),
    )
    .action(async (flags: UsageFlags) => {
      process.stdout.write(await usageText(flags, Date.now()));
    });
}

async function usageText(flags: UsageFlags, now: number): Promise<string> {
  const snapshot = readSnapshot(flags.config);
  // FOCUS rows are about what a provider billed, so provider and target are always among the groups.
  const by = flags.format === 'focus' ? [...new Set(['target', ...flags.by])] : flags.by;
  const from = flags.from ?? (flags.format === 'focus' ? monthStart(now) : null);
  const to = flags.to ?? null;
  const rows = await fetchUsage(snapshot, { by, from, to });
  const view = { rows, by, from, to, now };
  if (flags.format === 'json') return `${JSON.stringify({ data: rows }, null, 2)}\n`;
  if (flags.format === 'csv') return usageCsv(view);
  return flags.format === 'focus' ? usageFocus(view) : usageTable(view);
}

function names(text: string): readonly string[] {
  return text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

const AGO_MS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

function timeFlag(text: string): number {
  return parseTime(text, Date.now());
}

/** Epoch milliseconds of an ISO date or time (UTC unless it says otherwise), or of `24h`, `7d` before `now`. */
export function parseTime(text: string, now: number): number {
  const ago = /^(\d+)([mhdw])$/.exec(text);
  if (ago) return now - Number(ago[1]) * (AGO_MS[ago[2] ?? ''] ?? 0);
  const zoned = /T.*(Z|[+-]\d\d:?\d\d)$/.test(text) || !text.includes('T') ? text : `${text}Z`;
  const time = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(zoned) : Number.NaN;
  if (Number.isNaN(time))
    throw new UserError(`${text}: must be a date (2026-11-01), a time (2026-11-01T08:00Z) or 24h, 7d`);
  return time;
}

import { Command, Option } from 'commander';
import { usageCsv } from '../accounting/reports/usage-csv.js';
import { endOnBrokenPipe } from './broken-pipe.js';
import { withConfigFlag } from './flags.js';
import { readSnapshot } from './read-snapshot.js';
import { parseTime, timeFlag } from './time-flag.js';
import { fetchFocus, fetchUsage, type UsageQuestion } from './usage-source.js';
import { usageTable } from './usage-table.js';
import { UserError } from './user-error.js';

interface UsageFlags {
  readonly by?: readonly string[];
  readonly from?: number;
  readonly to?: number;
  readonly format: 'table' | 'json' | 'csv' | 'focus';
  readonly config?: string;
}

/** `tollgate usage`: requests, tokens and cost by what you like. */
export function usageCommand(): Command {
  return withConfigFlag(new Command('usage'))
    .description('requests, tokens and cost; asks the running gateway, else reads the ledger')
    .option(
      '--by <names>',
      'model, target, provider, key, user, endpoint or any label, comma-separated (default: model)',
      names,
    )
    .option('--from <time>', 'requests since: 2026-11-01, 2026-11-01T08:00Z, or -24h, -7d', timeFlag)
    .option('--to <time>', 'requests before', timeFlag)
    .addOption(
      new Option('--format <format>', 'how to print').choices(['table', 'json', 'csv', 'focus']).default('table'),
    )
    .action(print);
}

async function print(flags: UsageFlags): Promise<void> {
  endOnBrokenPipe();
  const snapshot = readSnapshot(flags.config);
  const span = { from: flags.from ?? null, to: flags.to ?? null };
  if (span.from !== null && span.to !== null && span.from >= span.to) throw new UserError('--from must be before --to');
  if (flags.format === 'focus') {
    const { lines, unpriced } = await fetchFocus(snapshot, focusQuestion(flags, span));
    for (const line of lines) process.stdout.write(line);
    if (unpriced > 0) process.stderr.write(`left out: ${unpriced} requests whose price is unknown\n`);
    return;
  }
  const by = flags.by ?? ['model'];
  const rows = await fetchUsage(snapshot, { by, ...span });
  process.stdout.write(usageText(flags.format, { rows, by, ...span }));
}

function usageText(format: 'table' | 'json' | 'csv', view: Parameters<typeof usageTable>[0]): string {
  if (format === 'json') return `${JSON.stringify({ data: view.rows }, null, 2)}\n`;
  return format === 'csv' ? usageCsv(view) : usageTable(view);
}

/** A billing file without an end of its own is about the month so far. */
function focusQuestion(flags: UsageFlags, span: Omit<UsageQuestion, 'by'>): UsageQuestion {
  const month = new Date().toISOString().slice(0, 8);
  return { by: flags.by ?? [], from: span.from ?? parseTime(`${month}01`, 0), to: span.to };
}

function names(text: string): readonly string[] {
  return text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

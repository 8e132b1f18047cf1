import { Command, Option } from 'commander';
import { repairLedger } from '../accounting/ledger/repair.js';
import { type LedgerReport, verifyLedger } from '../accounting/ledger/verify.js';
import { withConfigFlag } from './flags.js';
import { readSnapshot } from './read-snapshot.js';
import { UserError } from './user-error.js';

interface VerifyFlags {
  readonly config?: string;
  readonly repair?: boolean;
  readonly format: string;
}

/** `tollgate ledger`: the files that hold the truth about money. */
export function ledgerCommand(): Command {
  const ledger = new Command('ledger').description('look after the ledger');
  withConfigFlag(ledger.command('verify'))
    .description('read every entry again and report damage; exit code 1 when there is any')
    .option('--repair', 'write damaged segments anew without the unreadable bytes, keep the old ones beside them')
    .addOption(new Option('--format <format>', 'how to print').choices(['text', 'json']).default('text'))
    .action(verify);
  return ledger;
}

async function verify(flags: VerifyFlags): Promise<void> {
  const { directory } = readSnapshot(flags.config).ledger;
  const before = await verifyLedger(directory);
  const repaired = flags.repair && !before.ok ? await repairLedger(directory) : [];
  const report = repaired.length > 0 ? await verifyLedger(directory) : before;
  const json = `${JSON.stringify({ ...report, repaired }, null, 2)}\n`;
  process.stdout.write(flags.format === 'json' ? json : reportText({ before, report, repaired }));
  if (report.ok) return;
  const hint = flags.repair
    ? 'the ledger of a running gateway is damaged; stop it, then repair'
    : 'the ledger is damaged; run `tollgate ledger verify --repair`';
  throw new UserError(hint);
}

/** The report for people: what is there, where it is damaged, what was repaired. */
export function reportText(reports: {
  readonly before: LedgerReport;
  readonly report: LedgerReport;
  readonly repaired: readonly string[];
}): string {
  const { before, report, repaired } = reports;
  const types = Object.entries(report.by_type).map(([type, count]) => `${count} ${type}`);
  const lines = [
    `${report.entries} entries in ${report.segments} segments (${types.join(', ')})`,
    `${report.open_holds} open holds of ended processes, ${report.duplicates} duplicates, ${report.torn.length} torn ends`,
    ...before.damages.map(({ file, offset, length }) => `damage: ${file} at offset ${offset}, ${length} bytes`),
    ...repaired.map((file) => `repaired: ${file} (the old file is ${file}.damaged)`),
    report.ok ? 'ok' : 'damaged',
  ];
  return `${lines.join('\n')}\n`;
}

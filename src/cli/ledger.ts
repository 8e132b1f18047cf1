import { join } from 'node:path';
import { Command, Option } from 'commander';
import { repairLedger } from '../accounting/ledger/repair.js';
import { verifyLedger } from '../accounting/ledger/verify.js';
import { CHECKPOINT_FILE, rebuildCheckpoint } from '../accounting/ledger-counters/ledger-counters.js';
import { rereadLedger } from '../accounting/records/reread-ledger.js';
import type { Snapshot } from '../config/snapshot.js';
import type { Seed } from '../store/counter-store.js';
import { withConfigFlag } from './flags.js';
import { progress } from './ledger-progress.js';
import { repairText, reportText } from './ledger-text.js';
import { readSnapshot } from './read-snapshot.js';
import { UserError } from './user-error.js';

interface LedgerFlags {
  readonly config?: string;
  readonly format: string;
  readonly json?: boolean;
}

/** `tollgate ledger`: the files that hold the truth about money. */
export function ledgerCommand(): Command {
  const ledger = new Command('ledger').description('look after the ledger');
  printing(ledger.command('verify'))
    .description('read every entry again and report damage; exit code 1 when there is any')
    .action(verify);
  printing(ledger.command('repair'))
    .description('cut unfinished ends off and take unreadable bytes out; every whole entry and the old files are kept')
    .action(repair);
  printing(ledger.command('rebuild'))
    .description('make anew what is derived from the ledger: the counters of limits, and records that are missing')
    .action(rebuild);
  return ledger;
}

function printing(command: Command): Command {
  return withConfigFlag(command)
    .addOption(new Option('--format <format>', 'how to print').choices(['text', 'json']).default('text'))
    .option('--json', 'the same as --format json');
}

async function verify(flags: LedgerFlags): Promise<void> {
  const { directory } = readSnapshot(flags.config).ledger;
  const report = await verifyLedger(directory, progress('segments read'));
  print(flags, report, reportText(report));
  if (!report.ok) throw new UserError('the ledger is damaged; run `tollgate ledger repair`');
}

async function repair(flags: LedgerFlags): Promise<void> {
  const snapshot = readSnapshot(flags.config);
  const report = await repairLedger({ directory: snapshot.ledger.directory, onProgress: progress('bytes read') });
  // What the counters were read from has moved.
  if (report.repaired.length > 0) await recount(snapshot);
  print(flags, report, repairText(report));
  if (report.living.length > 0) throw new UserError('the ledger of a running gateway is damaged; stop it, then repair');
}

async function rebuild(flags: LedgerFlags): Promise<void> {
  const snapshot = readSnapshot(flags.config);
  const seed = await recount(snapshot);
  const { ledger, records: settings, retention, dataDirectory } = snapshot;
  const records = await rereadLedger({ directory: ledger.directory, settings, retention, dataDirectory }).catch(
    unreachable,
  );
  const report = { counters: seed.used.size, open_holds: seed.holds.size, records };
  const counted = `${report.counters} counters and ${report.open_holds} open holds from the ledger`;
  print(flags, report, `${counted}\n${records ? 'the records have read all of it' : 'no records database yet'}\n`);
}

function unreachable(error: unknown): never {
  const reason = error instanceof Error ? error.message : String(error);
  throw new UserError(`the counters are counted anew, but the records cannot be reached: ${reason}`);
}

function recount({ ledger, dataDirectory }: Snapshot): Promise<Seed> {
  return rebuildCheckpoint({
    directory: ledger.directory,
    checkpointPath: join(dataDirectory, CHECKPOINT_FILE),
    now: Date.now,
    onProgress: progress('processes read'),
  });
}

function print(flags: LedgerFlags, report: object, text: string): void {
  const json = flags.json === true || flags.format === 'json';
  process.stdout.write(json ? `${JSON.stringify(report, null, 2)}\n` : text);
}

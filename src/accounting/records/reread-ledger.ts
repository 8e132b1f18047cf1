import { existsSync } from 'node:fs';
import { engineOptions, type RecordsOptions } from './create-records.js';
import { ledgerId } from './ledger-id.js';
import { openOfflineRecords } from './offline-records.js';
import { migrate } from './sql/migrate.js';
import { openDatabase } from './sql/open-database.js';

/**
 * Reads the whole ledger into the records again: what is missing there comes back. What is there stays, also requests whose
 * segments retention has removed. Does no harm beside a running gateway. False without a database; then the next start makes
 * one from the ledger. Rejects when it cannot be used.
 */
export async function rereadLedger(options: Omit<RecordsOptions, 'onProblem'>): Promise<boolean> {
  const { database: settings, directory } = engineOptions(options);
  if (settings.kind === 'sqlite' && !existsSync(settings.path)) return false;
  const database = await openDatabase(settings, { reading: false });
  try {
    await migrate(database);
    await database.query('delete from positions where source = ?', [ledgerId(directory)]);
  } finally {
    await database.close();
  }
  const records = await openOfflineRecords(options);
  await records?.close();
  return records !== null;
}

import { existsSync } from 'node:fs';
import { engineOptions, type RecordsOptions } from './create-records.js';
import { RecordsEngine } from './engine.js';
import type { RecordsReader } from './record.js';

export interface OfflineRecords extends RecordsReader {
  close(): Promise<void>;
}

/**
 * The records for a command, without a running gateway: takes over what the ledger has and the database has not (beside a running
 * one that does no harm), then answers in this thread. Null without a database yet. Rejects when it cannot be used: then read the ledger.
 */
export async function openOfflineRecords(options: Omit<RecordsOptions, 'onProblem'>): Promise<OfflineRecords | null> {
  const settings = { ...engineOptions(options), contentDirectory: null };
  if (settings.database.kind === 'sqlite' && !existsSync(settings.database.path)) return null;
  const engine = new RecordsEngine(settings);
  try {
    await engine.catchUp({ livingOnly: false });
    return engine;
  } catch (error) {
    await engine.close();
    throw error;
  }
}

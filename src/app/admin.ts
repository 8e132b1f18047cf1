import { setTimeout as delay } from 'node:timers/promises';
import { LedgerDamageError, readLedger } from '../accounting/ledger/read-ledger.js';
import { type AdminOptions, type RunningAdmin, startAdmin } from '../admin/server.js';

const RETRY_MS = 20;
const RETRY_FOR_MS = 30_000;

/** Reads every segment again and tells what it found. */
export async function verifyLedger(directory: string): Promise<object> {
  try {
    const reading = await readLedger(directory, () => undefined, { repair: true });
    return { ...reading, ok: reading.damages.length === 0 };
  } catch (error) {
    if (error instanceof LedgerDamageError) return { ok: false, message: error.message };
    throw error;
  }
}

/**
 * Starts the admin listener. A later generation waits for the port that the older one is about to release: `started`
 * resolves when it has it.
 */
export function startAdminListener(
  options: AdminOptions,
  generation: number,
): { readonly started: Promise<RunningAdmin> } {
  const attempt = async (until: number): Promise<RunningAdmin> => {
    try {
      return await startAdmin(options);
    } catch (error) {
      const taken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
      if (generation === 1 || !taken || Date.now() > until) throw error;
      await delay(RETRY_MS);
      return attempt(until);
    }
  };
  return { started: attempt(Date.now() + RETRY_FOR_MS) };
}

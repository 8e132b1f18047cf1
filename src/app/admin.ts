import { setTimeout as delay } from 'node:timers/promises';
import { type AdminOptions, type RunningAdmin, startAdmin } from '../admin/server.js';

const RETRY_MS = 20;
const RETRY_FOR_MS = 30_000;

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

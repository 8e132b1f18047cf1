import type { KeyDesk } from '../policy/keys/key-desk.js';
import { KeyError } from '../policy/keys/key-error.js';
import { openIssuedKeys } from '../policy/keys/open-issued-keys.js';
import { openRemoteDesk } from './keys-remote.js';
import { readSnapshot } from './read-snapshot.js';
import { UserError } from './user-error.js';

/**
 * Works with the keys of the running gateway or, without one, of its store. That is safe at any time: every store takes changes
 * of several processes, and those that run see them within a second.
 */
export async function withDesk<Result>(
  config: string | undefined,
  work: (desk: KeyDesk) => Result | Promise<Result>,
): Promise<Result> {
  const snapshot = readSnapshot(config);
  try {
    const remote = await openRemoteDesk(snapshot);
    if (remote !== null) return await work(remote);
    const local = await openIssuedKeys({
      snapshot,
      fixed: () => snapshot.keys,
      by: 'cli',
      now: Date.now,
      onProblem: (message) => process.stderr.write(`tollgate: ${message}\n`),
      audit: () => undefined,
    });
    try {
      return await work(local.desk);
    } finally {
      await local.close();
    }
  } catch (error) {
    throw error instanceof KeyError ? new UserError(error.message) : error;
  }
}

import { rmSync } from 'node:fs';
import { killFamily, startOf } from './family.js';

/**
 * Cleans up behind a bench, however that ends: a process of its own, in a session of its own, so that neither an exception nor
 * Ctrl-C nor SIGKILL of the bench or its group takes it along. Its channel closes with the bench.
 */

/** What there is to end and to remove. */
export interface Kept {
  readonly pid?: number;
  readonly directory?: string;
}

const processes = new Map<number, string | null>();
const directories = new Set<string>();

process.on('message', ({ pid, directory }: Kept) => {
  if (pid !== undefined) processes.set(pid, startOf(pid));
  if (directory !== undefined) directories.add(directory);
});
process.on('disconnect', () => {
  for (const [pid, start] of processes) if (start !== null && startOf(pid) === start) killFamily(pid);
  for (const directory of directories) rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
  process.exit();
});

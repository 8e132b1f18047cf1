import { randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const ID_FILE = 'ledger-id';

/**
 * The name of a ledger directory among all that write to the same records database: random, made once, kept in the directory. A
 * copy of the directory that goes on being written elsewhere needs another one: delete the file there. Throws what the disk says.
 */
export function ledgerId(directory: string): string {
  const path = join(directory, ID_FILE);
  const known = read(path);
  if (known !== null) return known;
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const prepared = join(directory, `.${ID_FILE}-${randomBytes(8).toString('hex')}`);
  writeFileSync(prepared, `${randomBytes(12).toString('hex')}\n`, { mode: 0o600, flush: true });
  try {
    // A link appears with its content, and only one process can make it.
    linkSync(prepared, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(prepared, { force: true });
  }
  const made = read(path);
  if (made === null) throw new Error(`${path} holds no id`);
  return made;
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').trim() || null;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

import { chmodSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateKey } from '../policy/keys/key-format.js';

const FILE = 'first-run.key';

/**
 * The gateway key of a gateway without a config file: made on the first run, kept in the data directory (mode 0600) and the
 * same ever after, also when two processes make it at the same moment.
 */
export function firstKey(dataDirectory: string): string {
  const file = join(dataDirectory, FILE);
  const kept = read(file);
  if (kept !== null) return kept;
  mkdirSync(dataDirectory, { recursive: true, mode: 0o700 });
  const draft = `${file}.${process.pid}.partial`;
  writeFileSync(draft, `${generateKey().text}\n`, { mode: 0o600 });
  try {
    // A link, unlike a rename, fails when somebody else was faster: then theirs counts.
    linkSync(draft, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(draft, { force: true });
  }
  chmodSync(file, 0o600);
  return read(file) ?? firstKeyUnreadable(file);
}

function read(file: string): string | null {
  try {
    const text = readFileSync(file, 'utf8').trim();
    return text.length >= 16 ? text : null;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

function firstKeyUnreadable(file: string): never {
  throw new Error(`${file} holds no key; remove it to have a new one made`);
}

import { randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** The pepper kept in a file, or null when there is no such file. Throws when it is there but holds none. */
export function readPepper(path: string): string | null {
  try {
    const text = readFileSync(path, 'utf8').trim();
    if (/^[0-9a-f]{64}$/.test(text)) return text;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  throw new Error(`${path} is no pepper; issued keys cannot be checked without the one that they were made under`);
}

/** The pepper kept in a file (mode 0600), made on the first call; the same for processes that make it at the same moment. */
export function keepPepper(path: string): string {
  const kept = readPepper(path);
  if (kept !== null) return kept;
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.${process.pid}.partial`;
  writeFileSync(draft, `${randomBytes(32).toString('hex')}\n`, { mode: 0o600, flush: true });
  try {
    // A link, unlike a rename, fails when somebody else was faster: then theirs counts.
    linkSync(draft, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(draft, { force: true });
  }
  return readPepper(path) ?? vanished(path);
}

function vanished(path: string): never {
  throw new Error(`${path} vanished while it was made`);
}

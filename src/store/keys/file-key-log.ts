import { mkdir, open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { IssuedKey } from './issued-key.js';
import { decodeKeyLines, encodeKeyLine } from './key-line.js';
import type { Changes, Head, KeyLog, Write } from './key-log.js';

/** Longer than any line; decoding one piece takes a few milliseconds at most. */
const PIECE_BYTES = 128 * 1024;

/**
 * Revisions in one append-only file. Several processes of a host may write at once without a lock: a write is one append, and
 * of two lines with the same id and revision every reader, the writer included, takes the first.
 */
export class FileKeyLog implements KeyLog {
  readonly #path: string;
  /** Newest revision by id, as far as the file was read. */
  readonly #revisions = new Map<string, number>();

  constructor(path: string) {
    this.#path = path;
  }

  async head(): Promise<Head> {
    try {
      const { ino, birthtimeMs, size } = await stat(this.#path);
      return { epoch: `${ino}-${birthtimeMs}`, position: size };
    } catch (error) {
      if (isMissing(error)) return { epoch: '', position: 0 };
      throw error;
    }
  }

  async changes(position: number): Promise<Changes> {
    if (position === 0) this.#revisions.clear();
    const { bytes, end } = await this.#piece(position);
    const { keys, consumed, damaged } = decodeKeyLines(bytes, { end });
    for (const key of keys) this.#revisions.set(key.id, Math.max(this.#revision(key.id), key.revision));
    const stuck = consumed === 0 && bytes.length === PIECE_BYTES;
    const damages = stuck ? [position] : damaged.map((offset) => position + offset);
    return {
      keys,
      position: position + (stuck ? bytes.length : consumed),
      last: end,
      damages: damages.map((offset) => `damaged line at offset ${offset}: what it said about one key is lost`),
    };
  }

  async write({ key, rule, position }: Write): Promise<boolean> {
    const known = this.#revision(key.id);
    if (rule === 'next' ? known !== key.revision - 1 : known >= key.revision) return false;
    await this.#append(key, rule === 'next');
    return rule === 'newest' || this.#isFirst(key, position);
  }

  async close(): Promise<void> {}

  #revision(id: string): number {
    return this.#revisions.get(id) ?? 0;
  }

  async #append(key: IssuedKey, durable: boolean): Promise<void> {
    await mkdir(dirname(this.#path), { recursive: true, mode: 0o700 });
    const isNew = (await this.head()).epoch === '';
    const handle = await open(this.#path, 'a', 0o600);
    try {
      const line = Buffer.from(encodeKeyLine(key));
      // One call, or the lines of two processes could be mixed.
      const { bytesWritten } = await handle.write(line);
      if (bytesWritten < line.length) throw new Error('the disk is full');
      if (durable) await handle.sync();
    } finally {
      await handle.close();
    }
    if (isNew) await syncDirectory(dirname(this.#path));
  }

  /** Whether the key is the first line with its id and revision after what the writer had read. */
  async #isFirst(key: IssuedKey, position: number): Promise<boolean> {
    let from = position;
    for (;;) {
      const { keys, position: next, last } = await this.changes(from);
      const first = keys.find((other) => other.id === key.id && other.revision === key.revision);
      if (first) return JSON.stringify(first) === JSON.stringify(key);
      if (last) throw new Error('the file was replaced while it was written');
      from = next;
    }
  }

  async #piece(position: number): Promise<{ readonly bytes: Buffer; readonly end: boolean }> {
    const buffer = Buffer.allocUnsafe(PIECE_BYTES);
    const handle = await open(this.#path, 'r').catch((error: unknown) => {
      if (isMissing(error)) return null;
      throw error;
    });
    if (handle === null) return { bytes: Buffer.alloc(0), end: true };
    try {
      const { bytesRead } = await handle.read(buffer, 0, PIECE_BYTES, position);
      return { bytes: buffer.subarray(0, bytesRead), end: bytesRead < PIECE_BYTES };
    } finally {
      await handle.close();
    }
  }
}

async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT';
}

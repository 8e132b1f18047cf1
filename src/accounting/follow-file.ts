import { type FSWatcher, watch } from 'node:fs';
import { type FileHandle, open, readdir, stat } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';

const NEWLINE = 0x0a;
const PIECE_BYTES = 64 * 1024;
/** A line that is longer is not one of ours and is not collected. */
const LONGEST_LINE = 1024 * 1024;
/** A renamed file may still be written until Envoy reopens its logs; after this long without growth it is done. */
const QUIET_MS = 10_000;
/** File systems take their times from a clock that ticks a few hundred times a second. */
const COARSE_MS = 1_000;

export interface FollowOptions {
  /** The log that is being written; it may not be there yet. */
  readonly path: string;
  /** Rotated files beside it that changed since (epoch milliseconds) are read too, first. */
  readonly since: number;
  /** Bytes to go back from the present end, over rotated files too; default: to the beginning. 0 = what comes from now on. */
  readonly lookBack?: number;
  /** Every complete line without its newline; only valid during the call. */
  readonly onLine: (line: Buffer) => void;
}

/**
 * Reads a growing log through rotation by rename, truncation, and lines that are written in pieces. Nothing happens between
 * polls: `poll` reads all that is there now.
 */
export class FollowedFile {
  readonly #options: FollowOptions;
  readonly #files: OpenFile[] = [];
  #current: OpenFile | null = null;
  /** Read into again and again. */
  readonly #piece = Buffer.allocUnsafeSlow(PIECE_BYTES);
  #begun = false;
  #closed = false;

  constructor(options: FollowOptions) {
    this.#options = options;
  }

  /** Reads to the present end of the log. Not to be called again before it has resolved. Rejects when reading fails. */
  async poll(): Promise<void> {
    if (!this.#begun) await this.#begin();
    this.#begun = true;
    const named = await stat(this.#options.path).catch(() => null);
    // Mostly nothing happened: one question then, not one for each file.
    const [only] = this.#files;
    if (this.#files.length === 1 && only && named?.ino === only.inode && named.size === only.position) return;
    await this.#readAll();
    if (named && (await this.#turnToNewFile(named.ino))) await this.#readAll();
    await this.#dropQuiet();
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const file of this.#files.splice(0)) await file.handle.close();
    this.#current = null;
  }

  /** Newest first, as far back as wanted. */
  async #begin(): Promise<void> {
    const { path, lookBack } = this.#options;
    let left = lookBack ?? Number.POSITIVE_INFINITY;
    this.#current = await this.#open(path, left);
    left -= this.#current?.size ?? 0;
    // With nothing to look back to, what is there now in rotated files is over.
    if (left <= 0 || lookBack === 0) return;
    for (const rotated of (await rotatedFiles(this.#options)).reverse()) {
      if (left <= 0) return;
      const file = await this.#open(rotated, left);
      left -= file?.size ?? 0;
    }
  }

  async #readAll(): Promise<void> {
    for (const file of [...this.#files]) await readOn(file, this.#piece, this.#options.onLine);
  }

  /** True when the path names another file than before. The old one stays open, for what is still written to it. */
  async #turnToNewFile(named: number): Promise<boolean> {
    if (named === this.#current?.inode) return false;
    const opened = await this.#open(this.#options.path, Number.POSITIVE_INFINITY);
    if (!opened) return false;
    // Lines are told in the order of the files: the newest comes last.
    this.#files.push(...this.#files.splice(this.#files.indexOf(opened), 1));
    this.#current = opened;
    return true;
  }

  /** Goes before the files that are open already. */
  async #open(path: string, lookBack: number): Promise<OpenFile | null> {
    const handle = await open(path, 'r').catch(() => null);
    if (!handle) return null;
    const { ino, size } = await handle.stat();
    const known = this.#files.find((file) => file.inode === ino) ?? null;
    if (known || this.#closed) {
      await handle.close();
      return known;
    }
    // One byte earlier, so that a line that begins exactly there is seen to begin.
    const position = Math.max(0, size - lookBack - 1);
    const inLine = lookBack < size;
    const file: OpenFile = {
      handle,
      inode: ino,
      size,
      position: inLine ? position : 0,
      inLine,
      pending: [],
      pendingBytes: 0,
      grewAt: Date.now(),
    };
    this.#files.unshift(file);
    return file;
  }

  async #dropQuiet(): Promise<void> {
    // A log that was renamed and is not there anew is still written to.
    if (!this.#current) return;
    const now = Date.now();
    for (const file of this.#files.filter((one) => one !== this.#current && now - one.grewAt > QUIET_MS)) {
      this.#files.splice(this.#files.indexOf(file), 1);
      await file.handle.close();
    }
  }
}

/** Calls `changed` soon after anything happens beside the log; nothing where the system cannot watch. */
export function watchBeside(path: string, changed: () => void): FSWatcher | null {
  try {
    const watcher = watch(dirname(path), { persistent: false }, () => changed());
    watcher.on('error', () => watcher.close());
    return watcher;
  } catch {
    return null;
  }
}

interface OpenFile {
  readonly handle: FileHandle;
  readonly inode: number;
  /** When it was opened. */
  readonly size: number;
  position: number;
  /** Reading began in the middle: what comes before the first newline is no line. */
  inLine: boolean;
  /** The begun line. */
  pending: Buffer[];
  pendingBytes: number;
  grewAt: number;
}

async function readOn(file: OpenFile, piece: Buffer, onLine: (line: Buffer) => void): Promise<void> {
  const { size } = await file.handle.stat();
  if (size < file.position) Object.assign(file, { position: 0, inLine: false, pending: [], pendingBytes: 0 });
  while (file.position < size) {
    const wanted = Math.min(piece.length, size - file.position);
    const { bytesRead } = await file.handle.read(piece, 0, wanted, file.position);
    if (bytesRead === 0) return;
    file.position += bytesRead;
    file.grewAt = Date.now();
    cutLines(file, piece.subarray(0, bytesRead), onLine);
  }
}

function cutLines(file: OpenFile, piece: Buffer, onLine: (line: Buffer) => void): void {
  let start = 0;
  for (let end = piece.indexOf(NEWLINE); end >= 0; end = piece.indexOf(NEWLINE, start)) {
    const rest = piece.subarray(start, end);
    if (!file.inLine) onLine(file.pending.length === 0 ? rest : Buffer.concat([...file.pending, rest]));
    file.inLine = false;
    if (file.pending.length > 0) file.pending = [];
    file.pendingBytes = 0;
    start = end + 1;
  }
  if (start < piece.length && file.pendingBytes < LONGEST_LINE) file.pending.push(Buffer.from(piece.subarray(start)));
  file.pendingBytes += piece.length - start;
}

/** `access.jsonl.1`, `access.jsonl-20261121`, `access-20261121.jsonl`: whatever a rotation may have made, oldest first. */
async function rotatedFiles({ path, since }: FollowOptions): Promise<string[]> {
  const directory = dirname(path);
  const name = basename(path);
  const extension = extname(name);
  const stem = name.slice(0, name.length - extension.length);
  const found: { readonly path: string; readonly changed: number }[] = [];
  for (const other of await readdir(directory).catch(() => [])) {
    const rotated = other.startsWith(name) || (other.startsWith(`${stem}-`) && other.endsWith(extension));
    if (other === name || !rotated || other.endsWith('.gz')) continue;
    const information = await stat(join(directory, other)).catch(() => null);
    if (information?.isFile() && information.mtimeMs >= since - COARSE_MS) {
      found.push({ path: join(directory, other), changed: information.mtimeMs });
    }
  }
  return found.sort((left, right) => left.changed - right.changed).map((one) => one.path);
}

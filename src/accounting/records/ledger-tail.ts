import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { type Boot, listBoots, listSegments } from '../ledger/boots.js';
import type { FinalEntry } from '../ledger/entry.js';
import { decodeWithText, isHoldLine } from '../ledger/line.js';
import { hasLivingOwner } from '../ledger/owner.js';
import type { FilePosition, Move } from './write-batch.js';

const NEWLINE = 0x0a;
const SPACE = 0x20;
const CLOSING_BRACE = 0x7d;
const PIECE_BYTES = 1024 * 1024;
/** Entries of one batch, about: what is read at once is used up. */
const BATCH_ENTRIES = 2_000;
/** Where the next reading begins, by file, if not at what is accepted; and how much is read of a file at once. */
export interface ReadingOptions {
  readonly after?: ReadonlyMap<string, FilePosition>;
  readonly pieceBytes?: number;
}

/** Files of one batch. */
const BATCH_FILES = 200;

/** Entries that were read on, and how far that goes. */
export interface Reading {
  readonly entries: readonly FinalEntry[];
  /** The JSON of each. */
  readonly texts: readonly string[];
  readonly moves: readonly Move[];
}

/** The same while it grows. */
interface Found {
  readonly entries: FinalEntry[];
  readonly texts: string[];
}

interface TailFile {
  /** As positions name it. */
  readonly name: string;
  readonly path: string;
  readonly boot: Boot;
  readonly living: boolean;
  size: number;
  identity: string;
  /** Size up to which nothing more can be made of it: the torn end of an ended process. */
  quietAt: number;
}

/**
 * Reads the final entries of all processes that write to one ledger directory, on from known positions. Synchronous reads of 1 MiB:
 * for a thread of its own. A position never goes beyond the last whole line, since a writer may cut off what is behind it.
 */
export class LedgerTail {
  readonly #directory: string;
  readonly #positions = new Map<string, FilePosition>();
  #files = new Map<string, TailFile>();
  /** Where a process writes, or will: its first segment comes with its first entry. As the last look at everything found them. */
  #living: readonly Boot[] = [];

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Takes the positions of the database for its own, and forgets what it knew. */
  use(positions: Iterable<FilePosition>): void {
    this.#positions.clear();
    for (const position of positions) this.#positions.set(position.file, position);
    for (const file of this.#files.values()) file.quietAt = -1;
  }

  /** Looks for new segments and how long all are; with `livingOnly`, only where a process writes. */
  async refresh({ livingOnly }: { readonly livingOnly: boolean }): Promise<void> {
    const boots = livingOnly ? this.#living : await listBoots(this.#directory);
    const found = new Map<string, TailFile>(livingOnly ? this.#files : []);
    const alive: Boot[] = [];
    for (const boot of boots) {
      const living = livingOnly || hasLivingOwner(boot.directory);
      if (living) alive.push(boot);
      for (const path of await listSegments(boot)) {
        const file = this.#look({ boot, path, living });
        if (file) found.set(file.name, file);
      }
    }
    this.#files = found;
    this.#living = alive;
  }

  /** The next entries, what is being written first; null when there is nothing more. `accept` them, or get them again. */
  read({ after = NOWHERE, pieceBytes = PIECE_BYTES }: ReadingOptions = {}): Reading | null {
    const found: Found = { entries: [], texts: [] };
    const moves: Move[] = [];
    for (const file of this.#inOrder()) {
      if (found.entries.length >= BATCH_ENTRIES || moves.length >= BATCH_FILES) break;
      const move = this.#readOn(file, found, { after, pieceBytes });
      if (move) moves.push(move);
    }
    return moves.length === 0 ? null : { ...found, moves };
  }

  accept(moves: readonly Move[]): void {
    for (const { to } of moves) this.#positions.set(to.file, to);
  }

  /** Bytes that have not been accepted. */
  get behindBytes(): number {
    let bytes = 0;
    for (const file of this.#files.values()) {
      if (file.size !== file.quietAt)
        bytes += Math.max(0, file.size - beginOf(file, this.#positions.get(file.name) ?? null).bytes);
    }
    return bytes;
  }

  get damagedLines(): number {
    let lines = 0;
    for (const file of this.#files.values()) lines += this.#positions.get(file.name)?.damaged ?? 0;
    return lines;
  }

  /** Whether everything in a file that nobody writes is accepted, and all of it could be read. */
  isComplete(name: string): boolean {
    const file = this.#files.get(name);
    const position = this.#positions.get(name);
    if (!file || !position || position.identity !== file.identity || position.damaged > 0) return false;
    return !file.living && (position.bytes >= file.size || file.size === file.quietAt);
  }

  #look({ boot, path, living }: Pick<TailFile, 'boot' | 'path' | 'living'>): TailFile | null {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (!stat) return null;
    const name = `${boot.name}/${basename(path)}`;
    const identity = String(stat.ino);
    const known = this.#files.get(name);
    const quietAt = known && known.identity === identity && known.living === living ? known.quietAt : -1;
    return { name, path, boot, living, size: stat.size, identity, quietAt };
  }

  *#inOrder(): Iterable<TailFile> {
    for (const file of this.#files.values()) if (file.living) yield file;
    for (const file of this.#files.values()) if (!file.living) yield file;
  }

  #readOn(file: TailFile, found: Found, { after, pieceBytes }: Required<ReadingOptions>): Move | null {
    const known = after.get(file.name) ?? this.#positions.get(file.name) ?? null;
    const begin = beginOf(file, known);
    if (begin.bytes >= file.size || file.size === file.quietAt) return null;
    const piece = readPiece(file.path, begin.bytes, Math.min(pieceBytes, file.size - begin.bytes));
    if (piece === null) return null;
    const atEnd = begin.bytes + piece.length >= file.size;
    const taken = takeLines(
      piece,
      { whole: piece.length === PIECE_BYTES && !atEnd, ended: atEnd && !file.living },
      found,
    );
    // The line is longer than the piece.
    if (taken.bytes === 0 && !atEnd && pieceBytes < PIECE_BYTES) {
      return this.#readOn(file, found, { after, pieceBytes: PIECE_BYTES });
    }
    if (taken.bytes === 0) {
      if (atEnd && !file.living) file.quietAt = file.size;
      return null;
    }
    const to = { ...begin, bytes: begin.bytes + taken.bytes, damaged: begin.damaged + taken.damaged };
    return { from: known, to };
  }
}

const NOWHERE: ReadonlyMap<string, FilePosition> = new Map();

/** Where reading begins: at 0 in a file that is not the one that was read, or that is shorter now. */
function beginOf(file: TailFile, known: FilePosition | null): FilePosition {
  if (known && known.identity === file.identity && known.bytes <= file.size) return known;
  return { file: file.name, bytes: 0, identity: file.identity, damaged: 0 };
}

/** Null when the file is gone or shorter. */
function readPiece(path: string, offset: number, length: number): Buffer | null {
  let descriptor: number;
  try {
    descriptor = openSync(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  try {
    const buffer = Buffer.allocUnsafe(length);
    const read = readSync(descriptor, buffer, 0, length, offset);
    return read === 0 ? null : buffer.subarray(0, read);
  } finally {
    closeSync(descriptor);
  }
}

interface Ends {
  /** More follows, so that a piece without any newline is a line that is too long: damage. */
  readonly whole: boolean;
  /** Nobody writes behind this any more: a last line without its newline may be an entry. */
  readonly ended: boolean;
}

/** Adds the final entries of the lines; `bytes` goes to the end of the last line that is not blank. */
function takeLines(piece: Buffer, ends: Ends, found: Found): { bytes: number; damaged: number } {
  let [start, bytes, damaged] = [0, 0, 0];
  for (let end = piece.indexOf(NEWLINE); end >= 0; end = piece.indexOf(NEWLINE, start)) {
    const line = piece.subarray(start, end);
    start = end + 1;
    if (isBlank(line)) continue;
    if (!takeLine(line, found)) damaged += 1;
    bytes = start;
  }
  if (start === 0 && ends.whole) return { bytes: piece.length, damaged: 1 };
  // Blank lines at the end of a large piece: going on behind them is safe, since there is more.
  if (ends.whole && bytes === 0) bytes = start;
  const rest = piece.subarray(start);
  if (ends.ended && rest.length > 0 && takeLine(rest, found)) bytes = piece.length;
  return { bytes, damaged };
}

/** False when the line is none of ours. Holds, half of all lines, are not even parsed. */
function takeLine(line: Buffer, found: Found): boolean {
  if (line.at(-1) === CLOSING_BRACE && isHoldLine(line)) return true;
  const decoded = decodeWithText(line);
  if (decoded && decoded.entry.type !== 'hold') {
    found.entries.push(decoded.entry);
    found.texts.push(decoded.text);
  }
  return decoded !== null;
}

function isBlank(line: Buffer): boolean {
  return line.every((byte) => byte === SPACE);
}

import { open } from 'node:fs/promises';
import type { LedgerEntry } from './entry.js';
import { decodeLine } from './line.js';

const NEWLINE = 0x0a;
/** Small enough that decoding one piece takes about a millisecond: reading never holds up the event loop. */
const PIECE_BYTES = 64 * 1024;
/** No entry is near this long; more without a newline is damage and is not collected. */
const LONGEST_LINE = 1024 * 1024;

/** Bytes that are no entry. */
export interface Damage {
  readonly file: string;
  /** First byte of the unreadable line. */
  readonly offset: number;
  readonly length: number;
}

export interface SegmentReading {
  readonly damages: readonly Damage[];
  /** A last line that was begun and never finished, or null. */
  readonly torn: Damage | null;
}

/**
 * Calls `visit` with each entry of a segment in order and its offset. With `last`, unreadable bytes that no entry follows count as
 * torn too: what a power cut leaves at the end of the file that was being written.
 */
export async function readSegment(
  file: string,
  options: { readonly last: boolean; readonly visit: (entry: LedgerEntry, offset: number) => void },
): Promise<SegmentReading> {
  const lines = new LineCollector();
  const damages: Damage[] = [];
  let trailing = 0;
  const take = (line: Buffer, offset: number) => {
    const entry = decodeLine(line);
    if (entry) {
      trailing = 0;
      options.visit(entry, offset);
    } else if (!isBlank(line)) {
      damages.push({ file, offset, length: line.length });
      trailing += 1;
    }
  };
  await readPieces(file, (piece) => lines.push(piece, take));
  const before = damages.length;
  const rest = lines.rest();
  take(rest.line, rest.offset);
  const tornLines = options.last ? trailing : damages.length - before;
  const torn = tornLines === 0 ? null : join(file, damages.splice(damages.length - tornLines));
  return { damages, torn };
}

function join(file: string, damages: readonly Damage[]): Damage | null {
  const [first] = damages;
  const last = damages.at(-1);
  return first && last ? { file, offset: first.offset, length: last.offset + last.length - first.offset } : null;
}

async function readPieces(file: string, take: (piece: Buffer) => void): Promise<void> {
  const handle = await open(file, 'r');
  try {
    // What is appended while we read belongs to a later reading.
    let left = (await handle.stat()).size;
    while (left > 0) {
      const buffer = Buffer.allocUnsafe(Math.min(PIECE_BYTES, left));
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, null);
      if (bytesRead === 0) return;
      left -= bytesRead;
      take(buffer.subarray(0, bytesRead));
    }
  } finally {
    await handle.close();
  }
}

/** Cuts pieces into lines, wherever the pieces end. */
class LineCollector {
  #pending: Buffer[] = [];
  #bytes = 0;
  /** Offset of the first pending byte. */
  #offset = 0;

  push(piece: Buffer, take: (line: Buffer, offset: number) => void): void {
    let start = 0;
    for (let end = piece.indexOf(NEWLINE); end >= 0; end = piece.indexOf(NEWLINE, start)) {
      this.#keep(piece.subarray(start, end));
      const { line, offset } = this.rest();
      take(line, offset);
      this.#offset += this.#bytes + 1;
      this.#pending = [];
      this.#bytes = 0;
      start = end + 1;
    }
    this.#keep(piece.subarray(start));
  }

  /** The line so far and where it begins. */
  rest(): { line: Buffer; offset: number } {
    const [only] = this.#pending;
    const line = only && this.#pending.length === 1 ? only : Buffer.concat(this.#pending);
    return { line, offset: this.#offset };
  }

  /** Bytes beyond the longest line are counted but not kept: such a line is damage anyway. */
  #keep(bytes: Buffer): void {
    if (bytes.length > 0 && this.#bytes < LONGEST_LINE) this.#pending.push(bytes);
    this.#bytes += bytes.length;
  }
}

function isBlank(line: Buffer): boolean {
  return line.every((byte) => byte === 0x20);
}

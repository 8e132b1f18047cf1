import { open } from 'node:fs/promises';
import { setImmediate as turn } from 'node:timers/promises';

const NEWLINE = 0x0a;
const PIECE_BYTES = 64 * 1024;
/** Decoding so many takes a small part of a millisecond: requests come in between. */
const SLICE_BYTES = 8 * 1024;
/** No entry is near this long; more without a newline is damage and is not collected. */
const LONGEST_LINE = 1024 * 1024;

/** A line without its newline; only valid during the call, and cut when it is longer than any entry. */
export type TakeLine = (line: Buffer, offset: number) => void;

/** The begun line behind the last newline; empty when the file ends with one. */
export interface LineRest {
  readonly line: Buffer;
  readonly offset: number;
}

/**
 * Calls `take` with each complete line from the byte `from` on, which must be the first of a line. What is appended
 * meanwhile belongs to a later reading. Rejects with what the file system says.
 */
export async function readLines(file: string, from: number, take: TakeLine): Promise<LineRest> {
  const lines = new LineCollector(from);
  const handle = await open(file, 'r');
  try {
    const end = (await handle.stat()).size;
    let position = from;
    while (position < end) {
      const buffer = Buffer.allocUnsafe(Math.min(PIECE_BYTES, end - position));
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, position);
      if (bytesRead === 0) break;
      position += bytesRead;
      for (let at = 0; at < bytesRead; at += SLICE_BYTES) {
        if (at > 0) await turn();
        lines.push(buffer.subarray(at, Math.min(at + SLICE_BYTES, bytesRead)), take);
      }
    }
  } finally {
    await handle.close();
  }
  return lines.rest();
}

/** Cuts pieces into lines, wherever the pieces end. */
class LineCollector {
  #pending: Buffer[] = [];
  #bytes = 0;
  /** Offset of the first pending byte. */
  #offset: number;

  constructor(from: number) {
    this.#offset = from;
  }

  push(piece: Buffer, take: TakeLine): void {
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
  rest(): LineRest {
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

import { type Boot, segmentPath } from './boots.js';
import type { Disk, SegmentFile } from './disk.js';

const NEWLINE = 0x0a;
const BLANK_BLOCK = Buffer.from(`${' '.repeat(4095)}\n`);

/** A place in the segments of a boot. */
export interface SegmentPosition {
  /** Number of the segment; 0 = none yet. */
  readonly segment: number;
  /** Bytes before it. */
  readonly offset: number;
}

/** What became of one append. */
export interface Appended {
  /** Bytes on disk that end with a whole line. */
  readonly kept: number;
  /** Null when everything was written. */
  readonly error: Error | null;
}

/** The segments of one boot: appends whole lines, begins the next segment by size, and leaves no half line behind. */
export class SegmentWriter {
  readonly #boot: Boot;
  readonly #disk: Disk;
  readonly #limit: number;
  #file: SegmentFile | null = null;
  #number = 0;
  #size = 0;

  constructor(boot: Boot, disk: Disk, limit: number) {
    this.#boot = boot;
    this.#disk = disk;
    this.#limit = limit;
  }

  /** Segments begun so far. */
  get segments(): number {
    return this.#number;
  }

  /** Behind the last whole line. What a failing disk has left behind it is no line. */
  get position(): SegmentPosition {
    return { segment: this.#number, offset: this.#size };
  }

  /** Writes `lines` (whole lines). Never throws: what was not written is told by `kept`. */
  append(lines: Buffer): Appended {
    let written = 0;
    try {
      const file = this.#current();
      while (written < lines.length) {
        const taken = file.write(written === 0 ? lines : lines.subarray(written));
        if (taken <= 0) throw new Error('the disk takes no bytes');
        written += taken;
      }
      this.#size += written;
      return { kept: written, error: null };
    } catch (error) {
      return { kept: this.#cutBack(lines, written), error: asError(error) };
    }
  }

  /** Whether the disk takes a block again: writes one of blanks and cuts it off. Null = yes. Readers skip blank lines. */
  probe(): Error | null {
    const { error } = this.append(BLANK_BLOCK);
    if (error) return error;
    try {
      this.#file?.truncate(this.#size - BLANK_BLOCK.length);
      this.#size -= BLANK_BLOCK.length;
    } catch {
      this.rotate();
    }
    return null;
  }

  /** Makes the current segment durable; `done` at once when there is none. */
  sync(done: (error: Error | null) => void): void {
    if (this.#file) this.#file.sync(done);
    else done(null);
  }

  /** The next append begins a new segment; the old one is synced first, then closed. */
  rotate(): void {
    const file = this.#file;
    this.#file = null;
    file?.sync(() => file.close());
  }

  #current(): SegmentFile {
    if (this.#file && this.#size >= this.#limit) this.rotate();
    if (!this.#file) {
      this.#file = this.#disk.create(segmentPath(this.#boot, this.#number + 1));
      this.#number += 1;
      this.#size = 0;
    }
    return this.#file;
  }

  /** After a failed write: lines that are whole stay, the torn one is cut off, or left at the end of a segment given up. */
  #cutBack(lines: Buffer, written: number): number {
    if (!this.#file) return 0;
    const kept = written === 0 ? 0 : lines.lastIndexOf(NEWLINE, written - 1) + 1;
    this.#size += kept;
    try {
      this.#file.truncate(this.#size);
      // A file that refused once (too large, bad block) may refuse for ever: go on in another one.
      if (this.#size > 0) this.rotate();
    } catch {
      this.rotate();
    }
    return kept;
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

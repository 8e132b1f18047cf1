import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { createBoot } from '../../ledger/boots.js';
import { currentOwner, releaseDirectory } from '../../ledger/owner.js';
import { type Content, encodeFrame } from './frame.js';

const MEBIBYTE = 1024 * 1024;
/** Kept of one body; the rest is cut. Bounds what the checksum costs on the event loop to about a millisecond. */
const BODY_BYTES = MEBIBYTE;
/** A file that has more is left to the worker, and the next one begins. */
const FILE_BYTES = 8 * MEBIBYTE;
const WAITING_BYTES = 32 * MEBIBYTE;

export interface ContentSpoolOptions {
  /** `<data directory>/content`; made when missing. */
  readonly directory: string;
  readonly onProblem: (message: string, error: unknown) => void;
  /** Bytes that may wait for the disk; default 32 MiB. */
  readonly waitingBytes?: number;
}

/** Prompts and answers on their way to the records. Appends off the event loop; never fails for the caller. */
export interface ContentSpool {
  /** False when too much waits for the disk: this content is not kept. The buffers must not change any more. */
  write(content: Content): boolean;
  readonly dropped: number;
  /** Writes what waits. */
  close(): Promise<void>;
}

/** Opens a directory of this process below `directory`. Throws when the disk refuses. */
export function openContentSpool(options: ContentSpoolOptions): ContentSpool {
  return new SpoolWriter(options, createBoot(options.directory, currentOwner(), Date.now()).directory);
}

/** `00000001.content`, … */
export const SPOOL_PATTERN = /^\d{8}\.content$/;

class SpoolWriter implements ContentSpool {
  readonly #options: ContentSpoolOptions;
  readonly #directory: string;
  readonly #limit: number;
  #queue: (readonly Buffer[])[] = [];
  #waiting = 0;
  #writing: Promise<void> | null = null;
  #file: FileHandle | null = null;
  #number = 0;
  #size = 0;
  #closed = false;
  #failing = false;
  dropped = 0;

  constructor(options: ContentSpoolOptions, directory: string) {
    this.#options = options;
    this.#directory = directory;
    this.#limit = options.waitingBytes ?? WAITING_BYTES;
  }

  write(content: Content): boolean {
    const most = Math.min(BODY_BYTES, content.request.length) + Math.min(BODY_BYTES, content.response.length);
    if (this.#closed || this.#waiting + most > this.#limit) {
      this.dropped += 1;
      return false;
    }
    const frame = encodeFrame(content, BODY_BYTES);
    this.#queue.push(frame);
    this.#waiting += size(frame);
    this.#writing ??= this.#drain();
    return true;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#writing;
    await this.#file?.close().catch(() => undefined);
    try {
      releaseDirectory(this.#directory);
    } catch (error) {
      this.#options.onProblem('the content spool could not be closed', error);
    }
  }

  async #drain(): Promise<void> {
    // What this turn of the event loop still brings goes along.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#queue.length > 0) {
      const pieces: Buffer[] = [];
      let bytes = 0;
      while (this.#queue.length > 0 && bytes < FILE_BYTES) {
        const frame = this.#queue.shift() ?? [];
        pieces.push(...frame);
        bytes += size(frame);
      }
      await this.#append(pieces, bytes);
      this.#waiting -= bytes;
    }
    this.#writing = null;
  }

  /** A file that refused is left with its torn end, which readers leave out. */
  async #append(pieces: Buffer[], bytes: number): Promise<void> {
    try {
      const file = this.#file ?? (await this.#next());
      const { bytesWritten } = await file.writev(pieces);
      if (bytesWritten < bytes) throw new Error('the disk takes no more bytes');
      this.#size += bytes;
      this.#failing = false;
      if (this.#size >= FILE_BYTES) await this.#leave();
    } catch (error) {
      this.dropped += 1;
      if (!this.#failing) this.#options.onProblem('prompts and answers cannot be kept', error);
      this.#failing = true;
      await this.#leave();
    }
  }

  async #next(): Promise<FileHandle> {
    this.#number += 1;
    const name = `${String(this.#number).padStart(8, '0')}.content`;
    this.#file = await open(join(this.#directory, name), 'ax', 0o600);
    this.#size = 0;
    return this.#file;
  }

  async #leave(): Promise<void> {
    const file = this.#file;
    this.#file = null;
    await file?.close().catch(() => undefined);
  }
}

function size(frame: readonly Buffer[]): number {
  return frame.reduce((bytes, piece) => bytes + piece.length, 0);
}

import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { type Boot, listBoots, listSegments, segmentNumber, segmentPath } from '../ledger/boots.js';
import { hasLivingOwner } from '../ledger/owner.js';
import { readLines } from '../ledger/read-lines.js';
import type { SegmentPosition } from '../ledger/segment-writer.js';
import type { IsMine } from '../ledger/share.js';
import { HoldLines, type LineReader } from './hold-lines.js';

/** How far one boot has been read: `segment` is the last one, `offset` the first byte of it that was not read. */
export interface BootPosition extends SegmentPosition {
  /** Checksum of the bytes just before: tells whether the file is still the one that was read. */
  readonly tail: number;
  /** Its process had ended before it was read to the end: nothing can come any more. */
  readonly done: boolean;
}

export type Positions = Map<string, BootPosition>;

/** Several entries. */
const TAIL_BYTES = 4096;
const START: BootPosition = { segment: 0, offset: 0, tail: 0, done: false };
export interface Reader extends LineReader {
  /** Boots to read; absent = all. */
  readonly isMine?: IsMine;
  /** Name of a boot that is told and not to be read; its position is nobody's business here. */
  readonly told?: string;
  /** Before each boot: boots done, and boots in all. */
  readonly onProgress: (done: number, all: number) => void;
}

/**
 * Visits the wanted entries that were written since `positions`, boots by their start, and moves the positions on. Unreadable
 * lines are left out. Rejects with what the file system says; entries of the segment it failed in may then be visited again.
 */
export async function readOn(directory: string, positions: Positions, reader: Reader): Promise<void> {
  const boots = (await listBoots(directory)).filter(reader.isMine ?? (() => true));
  forgetRemoved(boots, positions);
  for (const [at, boot] of boots.entries()) {
    reader.onProgress(at, boots.length);
    const before = positions.get(boot.name) ?? START;
    if (!before.done && boot.name !== reader.told) await readBoot(boot, positions, new HoldLines(reader, boot.name));
  }
}

/** The position up to which the entries of a living boot were told. Rejects when its file is shorter. */
export async function toldPosition(directory: string, boot: string, at: SegmentPosition): Promise<BootPosition> {
  const file = segmentPath({ name: boot, directory: join(directory, boot) }, at.segment);
  const tail = await tailOf(file, at.offset);
  if (tail < 0) throw new Error(`${file} has lost what was written to it`);
  return { ...at, tail, done: false };
}

/** Whether every boot that is still there holds the bytes that were read of it. */
export async function stillFits(directory: string, positions: Positions): Promise<boolean> {
  for (const boot of await listBoots(directory)) {
    const position = positions.get(boot.name);
    if (!position || position.segment === 0) continue;
    const files = await listSegments(boot);
    const file = files.find((path) => segmentNumber(path) === position.segment);
    // Old segments may have been removed, but not from under the ones that follow them.
    if (!file && files.some((path) => segmentNumber(path) < position.segment)) return false;
    if (file && (await tailOf(file, position.offset)) !== position.tail) return false;
  }
  return true;
}

async function readBoot(boot: Boot, positions: Positions, lines: HoldLines): Promise<void> {
  // Asked before reading: what it wrote before it ended is then all there.
  const ended = !hasLivingOwner(boot.directory);
  const position = positions.get(boot.name) ?? START;
  const files = (await listSegments(boot)).filter((path) => segmentNumber(path) >= position.segment);
  for (const file of files) {
    const segment = segmentNumber(file);
    const from = segment === position.segment ? position.offset : 0;
    const { size } = await stat(file);
    if (size === from && segment === position.segment) continue;
    const rest = await readLines(file, from, (line) => lines.take(line));
    // A dead process ends no line; what is whole without its newline counts all the same.
    if (ended) lines.take(rest.line);
    // Before the position says that they were read.
    lines.visitOpen();
    const offset = ended ? rest.offset + rest.line.length : rest.offset;
    positions.set(boot.name, { segment, offset, tail: await tailOf(file, offset), done: false });
  }
  if (ended) positions.set(boot.name, { ...(positions.get(boot.name) ?? START), done: true });
}

function forgetRemoved(boots: readonly Boot[], positions: Positions): void {
  const names = new Set(boots.map(({ name }) => name));
  for (const name of positions.keys()) if (!names.has(name)) positions.delete(name);
}

/** Checksum of the last bytes before `offset`; -1 when the file is shorter. */
async function tailOf(file: string, offset: number): Promise<number> {
  const length = Math.min(TAIL_BYTES, offset);
  const buffer = Buffer.alloc(length);
  const handle = await open(file, 'r');
  try {
    const { bytesRead } = await handle.read(buffer, 0, length, offset - length);
    return bytesRead === length ? crc32(buffer) : -1;
  } finally {
    await handle.close();
  }
}

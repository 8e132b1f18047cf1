import { open, readFile, rename, rm } from 'node:fs/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import type { FrozenBook, OpenPlaces } from './counter-book.js';
import type { BootPosition, Positions } from './ledger-position.js';

/** Of the file's form; another one is not read. */
const VERSION = 2;
/** Small enough that no line takes a millisecond to make. */
const LINE_ITEMS = 500;

/** Counters and how far the ledger was read for them. */
export interface Checkpoint {
  readonly positions: Positions;
  readonly used: readonly (readonly [boot: string, place: string, sum: bigint])[];
  readonly holds: ReadonlyMap<string, OpenPlaces>;
}

/**
 * Writes the checkpoint beside the old one and puts it in its place by one rename. JSON lines: a head, then counters and holds in
 * groups, then the checksum of all bytes before. Rejects with what the file system says.
 */
export async function writeCheckpoint(path: string, positions: Positions, book: FrozenBook): Promise<void> {
  const draft = `${path}.${process.pid}`;
  const handle = await open(draft, 'w', 0o600);
  try {
    let sum = 0;
    for (const line of linesOf(positions, book)) {
      const bytes = Buffer.from(`${line}\n`);
      sum = crc32(bytes, sum);
      await handle.writeFile(bytes);
      await nextTurn();
    }
    await handle.writeFile(`${JSON.stringify({ crc: sum })}\n`);
    await handle.sync();
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  } finally {
    await handle.close();
  }
  await rename(draft, path);
}

/** Null when there is none, or it is not what was written. */
export async function readCheckpoint(path: string): Promise<Checkpoint | null> {
  const bytes = await readFile(path).catch(() => null);
  if (bytes === null) return null;
  try {
    return decode(bytes);
  } catch {
    return null;
  }
}

function* linesOf(positions: Positions, book: FrozenBook): Generator<string> {
  yield JSON.stringify({ version: VERSION, positions: [...positions] });
  for (const [boot, sums] of book.used) {
    for (const group of groups(sums))
      yield JSON.stringify({ boot, used: group.map(([place, { sum }]) => [place, `${sum.value}`]) });
  }
  for (const group of groups(book.holds)) yield JSON.stringify({ holds: group });
}

function* groups<T>(items: Iterable<T>): Generator<T[]> {
  let group: T[] = [];
  for (const item of items) {
    group.push(item);
    if (group.length < LINE_ITEMS) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}

interface Line {
  readonly version?: number;
  readonly positions?: readonly (readonly [string, BootPosition])[];
  readonly boot?: string;
  readonly used?: readonly (readonly [string, string])[];
  readonly holds?: readonly (readonly [string, OpenPlaces])[];
  readonly crc?: number;
}

/** Throws on anything that is not a whole checkpoint. */
function decode(bytes: Buffer): Checkpoint | null {
  const lastLine = bytes.lastIndexOf(0x0a, bytes.length - 2) + 1;
  const { crc } = JSON.parse(bytes.toString('utf8', lastLine)) as Line;
  if (crc !== crc32(bytes.subarray(0, lastLine))) return null;
  const lines = bytes.toString('utf8', 0, lastLine).split('\n').slice(0, -1);
  const parsed = lines.map((line) => JSON.parse(line) as Line);
  const [head] = parsed;
  if (head?.version !== VERSION || !head.positions) return null;
  const used: (readonly [string, string, bigint])[] = [];
  const holds = new Map<string, OpenPlaces>();
  for (const line of parsed) {
    for (const [place, sum] of line.used ?? []) used.push([line.boot ?? '', place, BigInt(sum)]);
    for (const [id, hold] of line.holds ?? []) holds.set(id, hold);
  }
  return { positions: new Map(head.positions), used, holds };
}

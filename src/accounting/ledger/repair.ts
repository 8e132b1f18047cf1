import { copyFile, open, rename, stat, truncate } from 'node:fs/promises';
import { type Boot, listBoots, listSegments, unmarkSettled } from './boots.js';
import { isBlank, isIntact } from './line.js';
import { hasLivingOwner } from './owner.js';
import { readLines } from './read-lines.js';
import type { Damage } from './read-segment.js';
import { salvage } from './salvage.js';

/** What was done to one segment. */
export interface SegmentRepair {
  readonly file: string;
  /** The segment as it was; null when only an unfinished end was cut off. */
  readonly copy: string | null;
  /** Bytes of the old file that are not in the new one. */
  readonly removed: readonly Damage[];
  /** Whole entries found inside unreadable lines. */
  readonly salvaged: number;
}

export interface RepairReport {
  readonly repaired: readonly SegmentRepair[];
  /** Damage in segments of processes that still run: nothing was changed there. */
  readonly living: readonly Damage[];
}

export interface RepairOptions {
  readonly directory: string;
  /** Before each segment: bytes done so far, and bytes in all. */
  readonly onProgress?: (done: number, all: number) => void;
}

/**
 * Makes every segment of ended processes readable: cuts unfinished ends off, and writes damaged segments anew with every whole
 * entry, keeping the old file beside as `<segment>.damaged`. A segment is replaced by one rename, so it may be interrupted.
 * Rejects with what the file system says.
 */
export async function repairLedger(options: RepairOptions): Promise<RepairReport> {
  const repaired: SegmentRepair[] = [];
  const living: Damage[] = [];
  const segments = await listAll(options.directory);
  const all = segments.reduce((sum, { size }) => sum + size, 0);
  let done = 0;
  for (const { boot, file, size } of segments) {
    options.onProgress?.(done, all);
    const alive = hasLivingOwner(boot.directory);
    const scan = await scanSegment(file, alive);
    if (alive) living.push(...scan.damages);
    else if (scan.damages.length > 0) {
      repaired.push(await repairSegment(file, scan));
      // A hold may have come to light whose final entry nobody has looked for.
      if (scan.salvaged > 0) unmarkSettled(boot);
    }
    done += size;
  }
  options.onProgress?.(all, all);
  return { repaired, living };
}

interface Segment {
  readonly boot: Boot;
  readonly file: string;
  readonly size: number;
}

async function listAll(directory: string): Promise<Segment[]> {
  const segments: Segment[] = [];
  for (const boot of await listBoots(directory)) {
    for (const file of await listSegments(boot)) segments.push({ boot, file, size: (await stat(file)).size });
  }
  return segments;
}

interface Scan {
  /** Whole entries, each with its newline. */
  readonly kept: readonly Buffer[];
  readonly damages: readonly Damage[];
  readonly salvaged: number;
  /** Where the only damage begins, when nothing but it lies behind and nothing is in it; else null. */
  readonly cutAt: number | null;
}

const NEWLINE = Buffer.from('\n');

/** With `alive`, the line that is being written is no damage. */
async function scanSegment(file: string, alive: boolean): Promise<Scan> {
  const kept: Buffer[] = [];
  const damages: Damage[] = [];
  let [salvaged, keptBehind] = [0, false];
  const take = (line: Buffer, offset: number) => {
    if (isBlank(line)) return;
    if (isIntact(line)) {
      kept.push(Buffer.concat([line, NEWLINE]));
      keptBehind = damages.length > 0;
      return;
    }
    const whole = salvage(line);
    salvaged += whole.length;
    for (const entry of whole) kept.push(Buffer.concat([entry, NEWLINE]));
    damages.push({ file, offset, length: line.length });
  };
  const rest = await readLines(file, 0, take);
  if (!alive) take(rest.line, rest.offset);
  const [first] = damages;
  return { kept, damages, salvaged, cutAt: first && !keptBehind && salvaged === 0 ? first.offset : null };
}

async function repairSegment(file: string, scan: Scan): Promise<SegmentRepair> {
  const { damages: removed, salvaged } = scan;
  if (scan.cutAt !== null) {
    await truncate(file, scan.cutAt);
    return { file, copy: null, removed, salvaged };
  }
  const replacement = `${file}.repaired`;
  const handle = await open(replacement, 'w', 0o600);
  try {
    await handle.writeFile(Buffer.concat(scan.kept));
    await handle.sync();
  } finally {
    await handle.close();
  }
  const copy = await freeName(`${file}.damaged`);
  await copyFile(file, copy);
  await rename(replacement, file);
  return { file, copy, removed, salvaged };
}

/** An older copy is never written over. */
async function freeName(name: string): Promise<string> {
  for (let number = 1; ; number += 1) {
    const candidate = number === 1 ? name : `${name}-${number}`;
    if (!(await stat(candidate).catch(() => null))) return candidate;
  }
}

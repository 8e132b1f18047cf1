import { stat } from 'node:fs/promises';
import { type Boot, listBoots, listSegments } from '../ledger/boots.js';
import type { FinalEntry } from '../ledger/entry.js';
import { readSegment } from '../ledger/read-segment.js';

export interface Filling {
  /** Oldest first. */
  readonly entries: readonly FinalEntry[];
  /** No request that arrived after this (epoch ms) is in a segment that was not read; -Infinity when all were. */
  readonly completeAfter: number;
}

/** Final entries of the newest segments, whole segments, until there are at least `wanted`. Damaged lines are left out. */
export async function fillFromLedger(directory: string, wanted: number): Promise<Filling> {
  const segments = await newestFirst(directory);
  const collected: FinalEntry[][] = [];
  let count = 0;
  for (const [at, file] of segments.entries()) {
    if (count >= wanted) {
      // A request arrives before it is written, so nothing in the segments left is younger than the youngest of them.
      return { entries: collected.reverse().flat(), completeAfter: segments[at]?.changed ?? 0 };
    }
    const entries: FinalEntry[] = [];
    await readSegment(file.path, { last: true, visit: (entry) => entry.type !== 'hold' && entries.push(entry) });
    collected.push(entries);
    count += entries.length;
  }
  return { entries: collected.reverse().flat(), completeAfter: Number.NEGATIVE_INFINITY };
}

/** By last change: several processes may have written at the same time. */
async function newestFirst(directory: string): Promise<{ readonly path: string; readonly changed: number }[]> {
  const boots: Boot[] = await listBoots(directory);
  const segments = await Promise.all(
    boots.map(async (boot) => {
      const files = await listSegments(boot);
      return Promise.all(files.map(async (path) => ({ path, changed: (await stat(path)).mtimeMs })));
    }),
  );
  return segments.flat().sort((left, right) => right.changed - left.changed || (left.path < right.path ? 1 : -1));
}

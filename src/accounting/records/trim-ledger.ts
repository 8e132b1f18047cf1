import { rmSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { type Boot, isSettled, listBoots, listSegments } from '../ledger/boots.js';
import { listDeadBoots } from '../ledger/open-holds.js';
import { hasLivingOwner } from '../ledger/owner.js';

export interface TrimOptions {
  /** The ledger directory. */
  readonly directory: string;
  /** Boots whose last write is older (epoch milliseconds) may go. */
  readonly before: number;
  /** Whether all entries of a segment (`<boot>/<file>`) are in the records. */
  readonly isComplete: (segment: string) => boolean;
}

/**
 * Deletes the segments of ended processes that are old, settled, readable from end to end and wholly in the records. Nothing goes
 * while a dead process has open holds: their final entries may lie anywhere. Resolves to the deleted segments.
 */
export async function trimLedger(options: TrimOptions): Promise<readonly string[]> {
  if ((await listDeadBoots(options.directory)).length > 0) return [];
  const deleted: string[] = [];
  for (const boot of await listBoots(options.directory)) {
    if (!isSettled(boot) || hasLivingOwner(boot.directory)) continue;
    const paths = await listSegments(boot);
    if (!paths.every((path) => mayGo(boot, path, options))) continue;
    rmSync(boot.directory, { recursive: true, force: true });
    deleted.push(...paths.map((path) => segmentName(boot, path)));
  }
  return deleted;
}

function mayGo(boot: Boot, path: string, { before, isComplete }: TrimOptions): boolean {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat !== undefined && stat.mtimeMs < before && (stat.size === 0 || isComplete(segmentName(boot, path)));
}

function segmentName(boot: Boot, path: string): string {
  return `${boot.name}/${basename(path)}`;
}

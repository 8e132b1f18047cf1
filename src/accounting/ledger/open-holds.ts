import { stat } from 'node:fs/promises';
import { type Boot, isSettled, listBoots, listSegments } from './boots.js';
import type { HoldEntry } from './entry.js';
import { hasLivingOwner } from './owner.js';
import { LedgerDamageError, type ReadOptions } from './read-ledger.js';
import { type Damage, readSegment } from './read-segment.js';
import type { IsMine } from './share.js';

export interface OpenHold {
  readonly hold: HoldEntry;
  /** Name of the boot that wrote it. */
  readonly boot: string;
}

/** Boots whose process has ended and whose holds were not all seen to have a final entry, oldest first. */
export async function listDeadBoots(directory: string, isMine: IsMine = () => true): Promise<Boot[]> {
  const boots = await listBoots(directory);
  return boots.filter((boot) => isMine(boot) && !isSettled(boot) && !hasLivingOwner(boot.directory));
}

/**
 * Holds of ended processes that have no final entry anywhere. Holds of a living process are its own business and are never
 * told. Rejects with `LedgerDamageError` when a boot that matters is damaged and `repair` is not set.
 */
export async function findOpenHolds(
  directory: string,
  options: ReadOptions & { readonly boots?: readonly Boot[] } = { repair: false },
): Promise<OpenHold[]> {
  const dead = options.boots ?? (await listDeadBoots(directory));
  const open = new Map<string, OpenHold>();
  for (const boot of dead) await collect(boot, { open, options });
  await removeSettledElsewhere(directory, open);
  return [...open.values()];
}

/** Holds of one boot without a final entry in the same boot. A final entry may only follow its hold. */
async function collect(
  boot: Boot,
  into: { readonly open: Map<string, OpenHold>; readonly options: ReadOptions },
): Promise<void> {
  const files = await listSegments(boot);
  const damages: Damage[] = [];
  for (const file of files) {
    const reading = await readSegment(file, {
      last: file === files.at(-1),
      visit(entry) {
        if (entry.type === 'hold') into.open.set(entry.id, { hold: entry, boot: boot.name });
        else into.open.delete(entry.id);
      },
    });
    damages.push(...reading.damages);
  }
  if (damages.length > 0 && !into.options.repair) throw new LedgerDamageError(damages);
}

/** A process that recovered a hold wrote the final entry into its own boot. Segments older than every hold cannot have it. */
async function removeSettledElsewhere(directory: string, open: Map<string, OpenHold>): Promise<void> {
  if (open.size === 0) return;
  let oldest = Number.POSITIVE_INFINITY;
  for (const { hold } of open.values()) oldest = Math.min(oldest, Date.parse(hold.time) || 0);
  for (const boot of await listBoots(directory)) {
    for (const file of await listSegments(boot)) {
      if ((await stat(file)).mtimeMs < oldest) continue;
      await readSegment(file, {
        last: true,
        visit(entry) {
          if (entry.type !== 'hold') open.delete(entry.id);
        },
      });
      if (open.size === 0) return;
    }
  }
}

import { listBoots, listSegments } from './boots.js';
import type { LedgerEntry } from './entry.js';
import { IdSet } from './id-set.js';
import { type Damage, readSegment } from './read-segment.js';

/** Unreadable bytes with readable entries behind them: not what a crash leaves, so nothing goes on without being asked. */
export class LedgerDamageError extends Error {
  readonly damages: readonly Damage[];

  constructor(damages: readonly Damage[]) {
    const [first] = damages;
    super(`ledger damaged: ${first?.file} at offset ${first?.offset}; run "tollgate ledger repair"`);
    this.name = 'LedgerDamageError';
    this.damages = damages;
  }
}

export interface ReadOptions {
  /** Go on behind damage and list it, instead of throwing `LedgerDamageError`. */
  readonly repair: boolean;
  /** Before each segment: segments done, and segments in all. */
  readonly onProgress?: (done: number, all: number) => void;
}

export interface LedgerReading {
  /** Entries visited. */
  readonly entries: number;
  /** Entries left out because their id had come before (holds and final entries apart). */
  readonly duplicates: number;
  readonly segments: number;
  readonly damages: readonly Damage[];
  /** Half-written ends: normal after a crash, and in a segment that is being written right now. */
  readonly torn: readonly Damage[];
}

/**
 * Visits every entry of every process that ever wrote here: boots by their start, entries in the order they were written. Of
 * several final entries of one request only the first is visited. Reads in small pieces, so the event loop goes on.
 * Rejects with `LedgerDamageError` (unless `repair`) or what the file system says.
 */
export async function readLedger(
  directory: string,
  visit: (entry: LedgerEntry) => void,
  options: ReadOptions,
): Promise<LedgerReading> {
  const holds = new IdSet();
  const finals = new IdSet();
  const damages: Damage[] = [];
  const torn: Damage[] = [];
  let [entries, duplicates, segments] = [0, 0, 0];
  const once = (entry: LedgerEntry) => {
    const isNew = (entry.type === 'hold' ? holds : finals).add(entry.id);
    if (!isNew) duplicates += 1;
    else {
      entries += 1;
      visit(entry);
    }
  };
  const boots = await Promise.all((await listBoots(directory)).map(listSegments));
  const all = boots.reduce((sum, files) => sum + files.length, 0);
  for (const files of boots) {
    for (const file of files) {
      options.onProgress?.(segments, all);
      const reading = await readSegment(file, { last: file === files.at(-1), visit: once });
      segments += 1;
      damages.push(...reading.damages);
      if (reading.torn) torn.push(reading.torn);
      if (damages.length > 0 && !options.repair) throw new LedgerDamageError(damages);
    }
  }
  return { entries, duplicates, segments, damages, torn };
}

import { stat } from 'node:fs/promises';
import { lineId } from '../line-id.js';
import { listBoots, listSegments } from './boots.js';
import type { FinalEntry, HoldEntry } from './entry.js';
import { decodeLine } from './line.js';
import { readLines } from './read-lines.js';

/** What the ledger has about one request. */
export interface FoundEntries {
  readonly hold: HoldEntry | null;
  /** The first one. */
  readonly final: FinalEntry | null;
}

/**
 * Looks for requests in the segments that were written to since a time (epoch milliseconds). Ids without any entry are not in the
 * answer. Reads whole segments, so ask for many ids at once and seldom. Rejects with what the file system says.
 */
export async function findEntries(
  directory: string,
  ids: ReadonlySet<string>,
  since: number,
): Promise<ReadonlyMap<string, FoundEntries>> {
  const found = new Map<string, FoundEntries>();
  const take = (line: Buffer) => {
    const id = lineId(line);
    if (id === null || !ids.has(id)) return;
    const entry = decodeLine(line);
    if (!entry) return;
    const { hold, final } = found.get(id) ?? { hold: null, final: null };
    if (entry.type === 'hold') found.set(id, { hold: entry, final });
    else found.set(id, { hold, final: final ?? entry });
  };
  for (const boot of await listBoots(directory)) {
    for (const file of await listSegments(boot)) {
      if ((await stat(file)).mtimeMs >= since) await readLines(file, 0, take);
    }
  }
  return found;
}

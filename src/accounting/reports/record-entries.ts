import type { RecordsReader } from '../records/record.js';
import type { EntrySource } from './entry-source.js';

const PAGE = 1_000;

/** The records database: it may go further back than the ledger, and holds what other hosts wrote. */
export function recordEntries(records: Pick<RecordsReader, 'entries'>): EntrySource {
  return {
    async eachEntry({ from = null, to = null }, take) {
      let cursor: string | null = null;
      do {
        const page: Awaited<ReturnType<RecordsReader['entries']>> = await records.entries({
          limit: PAGE,
          cursor,
          from,
          to,
        });
        for (const entry of page.data) take(entry);
        cursor = page.next;
      } while (cursor !== null);
      return { damages: 0 };
    },
  };
}

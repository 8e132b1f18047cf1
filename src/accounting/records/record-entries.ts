import type { EntrySource } from '../reports/entry-source.js';
import type { EntryPage, RecordsReader } from './record.js';

/** Entries of one page: the thread that asks takes about a millisecond for them. */
const PAGE = 200;

/** The records as reports and invoices read them; needed once old segments of the ledger are deleted. */
export function recordEntries(records: Pick<RecordsReader, 'entries'>): EntrySource {
  return {
    async eachEntry({ from = null, to = null }, take) {
      for (let cursor: string | null = null; ; ) {
        const page: EntryPage = await records.entries({ limit: PAGE, cursor, from, to });
        for (const entry of page.data) take(entry);
        if (page.next === null) return { damages: 0 };
        cursor = page.next;
      }
    },
  };
}

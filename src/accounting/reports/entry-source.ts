import type { FinalEntry } from '../ledger/entry.js';
import { readLedger } from '../ledger/read-ledger.js';
import { isWithin, type Span } from '../records/request-filter.js';

/** Where reports and invoices take finished requests from. */
export interface EntrySource {
  /**
   * Visits the final entry of each request that arrived in the span exactly once, in no particular order. Resolves to what could
   * not be read: 0 = everything was. Rejects with what the storage says.
   */
  eachEntry(span: Span, take: (entry: FinalEntry) => void): Promise<{ readonly damages: number }>;
}

/** The ledger itself. Reads all of it, in pieces, and leaves damaged lines out. */
export function ledgerEntries(directory: string): EntrySource {
  return {
    async eachEntry(span, take) {
      const reading = await readLedger(
        directory,
        (entry) => {
          if (entry.type !== 'hold' && isWithin(entry, span)) take(entry);
        },
        { repair: true },
      );
      return { damages: reading.damages.length };
    },
  };
}

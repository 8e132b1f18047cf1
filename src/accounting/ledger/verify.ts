import { findOpenHolds } from './open-holds.js';
import { readLedger } from './read-ledger.js';
import type { Damage } from './read-segment.js';

/** What `tollgate ledger verify` and `GET /api/v1/ledger/verify` tell. */
export interface LedgerReport {
  /** No damage. Torn ends and open holds are what a crash leaves; the next start settles them. */
  readonly ok: boolean;
  readonly segments: number;
  readonly entries: number;
  readonly by_type: Readonly<Record<string, number>>;
  readonly duplicates: number;
  /** Holds of ended processes that have no final entry yet. */
  readonly open_holds: number;
  readonly damages: readonly Damage[];
  readonly torn: readonly Damage[];
}

/** Reads every segment of every process again. Changes nothing. Rejects with what the file system says. */
export async function verifyLedger(
  directory: string,
  onProgress: (done: number, all: number) => void = () => undefined,
): Promise<LedgerReport> {
  const counts: Record<string, number> = { hold: 0, settle: 0, estimate: 0, void: 0, refusal: 0 };
  const count = ({ type }: { readonly type: string }) => {
    counts[type] = (counts[type] ?? 0) + 1;
  };
  const reading = await readLedger(directory, count, { repair: true, onProgress });
  const open = await findOpenHolds(directory, { repair: true });
  const { segments, entries, duplicates, damages, torn } = reading;
  const ok = damages.length === 0;
  return { ok, segments, entries, by_type: counts, duplicates, open_holds: open.length, damages, torn };
}

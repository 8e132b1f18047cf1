import { UsageReport, type UsageRow } from '../accounting/records/usage-report.js';
import { ledgerEntries } from '../accounting/reports/entry-source.js';
import { FocusReport } from '../accounting/reports/focus.js';
import type { Snapshot } from '../config/snapshot.js';
import { askAdmin } from './admin-client.js';

export interface UsageQuestion {
  readonly by: readonly string[];
  /** Epoch milliseconds; null = open. */
  readonly from: number | null;
  readonly to: number | null;
}

/** Sums, from the running gateway's admin API; without one from the ledger, which is the same truth. */
export async function fetchUsage(snapshot: Snapshot, question: UsageQuestion): Promise<readonly UsageRow[]> {
  const response = await askAdmin(snapshot, { path: '/api/v1/usage', query: query(question) });
  const body = (await response?.json()) as { readonly data?: unknown } | undefined;
  if (Array.isArray(body?.data)) return body.data;
  const report = new UsageReport(question.by);
  const { damages } = await ledgerEntries(snapshot.ledger.directory).eachEntry(question, (entry) => report.add(entry));
  warnOfDamage(damages);
  return report.rows();
}

export interface FocusText {
  /** In pieces, to be written one after the other. */
  readonly lines: Iterable<string>;
  /** Requests that are left out because their price is unknown. */
  readonly unpriced: number;
}

/** The same as FOCUS charges by the hour; `by` names the labels that become tags, none = all. */
export async function fetchFocus(snapshot: Snapshot, question: UsageQuestion): Promise<FocusText> {
  const asked = { ...query(question), format: 'focus' };
  const response = await askAdmin(snapshot, { path: '/api/v1/usage', query: asked });
  if (response?.headers.get('content-type')?.startsWith('text/csv')) {
    const unpriced = Number(response.headers.get('x-tollgate-unpriced-requests') ?? 0);
    return { lines: [await response.text()], unpriced };
  }
  const report = new FocusReport(question.by.length === 0 ? null : question.by);
  const { damages } = await ledgerEntries(snapshot.ledger.directory).eachEntry(question, (entry) => report.add(entry));
  warnOfDamage(damages);
  return { lines: report.lines(), unpriced: report.unpriced };
}

export function warnOfDamage(damages: number): void {
  if (damages > 0) process.stderr.write('the ledger is damaged: run `tollgate ledger verify`\n');
}

function query({ by, from, to }: UsageQuestion): Readonly<Record<string, string | null>> {
  const iso = (time: number | null) => (time === null ? null : new Date(time).toISOString());
  return { by: by.length === 0 ? null : by.join(','), from: iso(from), to: iso(to) };
}

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readLedger } from '../accounting/ledger/read-ledger.js';
import { isWithin } from '../accounting/records/request-filter.js';
import { UsageReport, type UsageRow } from '../accounting/records/usage-report.js';
import type { Snapshot } from '../config/snapshot.js';
import { UserError } from './user-error.js';

export interface UsageQuestion {
  readonly by: readonly string[];
  /** Epoch milliseconds; null = open. */
  readonly from: number | null;
  readonly to: number | null;
}

/** Asks the running gateway's admin API; without one, reads the ledger, which is the same truth. */
export async function fetchUsage(snapshot: Snapshot, question: UsageQuestion): Promise<readonly UsageRow[]> {
  const admin = adminAddress(snapshot);
  const answer = admin === null ? null : await ask({ admin, token: snapshot.admin.token?.reveal() ?? null }, question);
  return answer ?? fromLedger(snapshot.ledger.directory, question);
}

/** `host:port` that the running gateway wrote down; null when none has run here. */
function adminAddress(snapshot: Snapshot): string | null {
  try {
    const addresses: { admin?: unknown } = JSON.parse(
      readFileSync(join(snapshot.runtimeDirectory, 'addresses.json'), 'utf8'),
    );
    return typeof addresses.admin === 'string' ? addresses.admin : null;
  } catch {
    return null;
  }
}

interface AdminApi {
  readonly admin: string;
  readonly token: string | null;
}

/** Null when nothing answers there (the file outlives the gateway) or what answers is not this API. */
async function ask({ admin, token }: AdminApi, question: UsageQuestion): Promise<readonly UsageRow[] | null> {
  const url = new URL(`http://${admin}/api/v1/usage`);
  url.searchParams.set('by', question.by.join(','));
  if (question.from !== null) url.searchParams.set('from', new Date(question.from).toISOString());
  if (question.to !== null) url.searchParams.set('to', new Date(question.to).toISOString());
  const headers: Record<string, string> = token === null ? {} : { authorization: `Bearer ${token}` };
  const response = await fetch(url, { headers, signal: AbortSignal.timeout(30_000) }).catch(() => null);
  if (response === null || response.status === 404) return null;
  if (!response.ok) throw new UserError(`the gateway's admin API at ${admin} answered ${response.status}`);
  const body = (await response.json()) as { readonly data?: unknown };
  return Array.isArray(body.data) ? body.data : null;
}

async function fromLedger(directory: string, question: UsageQuestion): Promise<readonly UsageRow[]> {
  const report = new UsageReport(question.by);
  const reading = await readLedger(
    directory,
    (entry) => {
      if (entry.type !== 'hold' && isWithin(entry, question)) report.add(entry);
    },
    { repair: true },
  );
  if (reading.damages.length > 0) process.stderr.write('the ledger is damaged: run `tollgate ledger verify`\n');
  return report.rows();
}

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import type { ExportSettings } from '../../../src/accounting/export/destination.js';
import { type ExporterOptions, LedgerExporter } from '../../../src/accounting/export/ledger-exporter.js';
import type { FinalEntry } from '../../../src/accounting/ledger/entry.js';
import type { FileLedger } from '../../../src/accounting/ledger/open-ledger.js';
import { ledgerEntries } from '../../../src/accounting/reports/entry-source.js';
import { final, held, hold, temporaryDirectory, testLedger } from '../samples.js';
import type { Received } from './receiver.js';

export const TIMING = { pollMs: 5, timeoutMs: 30_000, firstMs: 2, mostMs: 20 };
export const TIME = '2026-11-21T12:00:00.000Z';

export function settings(url: string, changes: Partial<ExportSettings> = {}): ExportSettings {
  return { name: 'hook', kind: 'webhook', url, secret: null, batch: 10, customer: 'key.labels.customer', ...changes };
}

export interface Place {
  readonly data: string;
  readonly ledgerDirectory: string;
}

export function place(t: Test): Place {
  const data = temporaryDirectory(t);
  return { data, ledgerDirectory: join(data, 'ledger') };
}

export interface Started {
  readonly exporter: LedgerExporter;
  readonly problems: (string | null)[];
}

export function start(
  t: Test,
  { data, ledgerDirectory }: Place,
  of: ExportSettings,
  changes: Partial<ExporterOptions> = {},
): Started {
  const problems: (string | null)[] = [];
  const exporter = new LedgerExporter({
    settings: of,
    ledgerDirectory,
    directory: join(data, 'exports'),
    fetch,
    now: Date.now,
    random: Math.random,
    timing: TIMING,
    onProblem: (message) => problems.push(message),
    onEvents: () => undefined,
    ...changes,
  });
  t.teardown(() => exporter.close());
  return { exporter, problems };
}

export function customer(id: string, changes: Partial<FinalEntry> = {}): FinalEntry {
  return final(id, { time: TIME, labels: { customer: 'acme' }, ...changes });
}

/** Writes a hold and a final entry for each. */
export async function write(ledger: FileLedger, entries: readonly FinalEntry[]): Promise<void> {
  for (const entry of entries) {
    if (entry.type !== 'refusal') await held(ledger, hold(entry.id));
    ledger.finish(entry);
  }
  await ledger.synced();
}

export async function written(t: Test, at: Place, entries: readonly FinalEntry[]): Promise<void> {
  const { ledger } = testLedger(at.ledgerDirectory);
  await write(ledger, entries);
  await ledger.close();
  t.ok(existsSync(at.ledgerDirectory));
}

export function rejected({ data }: Place): { id: string; reason: string }[] {
  const path = join(data, 'exports', 'hook.rejected.jsonl');
  if (!existsSync(path)) return [];
  return readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

/** What a consumer that knows ids has at the end. */
export class Consumer {
  readonly costs = new Map<string, number>();
  times = 0;

  take({ body }: Received): void {
    for (const event of JSON.parse(body).events) {
      this.times += 1;
      if (!this.costs.has(event.id)) this.costs.set(event.id, event.cost_nano_usd ?? 0);
    }
  }

  get sum(): number {
    return [...this.costs.values()].reduce((sum, cost) => sum + cost, 0);
  }
}

export async function ledgerTruth({ ledgerDirectory }: Place): Promise<{ requests: number; sum: number }> {
  let [requests, sum] = [0, 0];
  await ledgerEntries(ledgerDirectory).eachEntry({}, (entry) => {
    requests += 1;
    sum += entry.cost_nano_usd ?? 0;
  });
  return { requests, sum };
}

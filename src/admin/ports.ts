import type { AlertBacklog } from '../accounting/alerts/create-alerts.js';
import type { ExportBacklog } from '../accounting/export/ledger-exporter.js';
import type { FinalEntry } from '../accounting/ledger/entry.js';
import type { UsageRow } from '../accounting/records/usage-report.js';
import type { EntrySource } from '../accounting/reports/entry-source.js';
import type { Snapshot } from '../config/snapshot.js';
import type { KeyDesk } from '../policy/keys/key-desk.js';
import type { LimitRow } from '../policy/limits/limiter.js';

/** A finished request as `GET /api/v1/requests` shows it. */
export type RequestRecord = Omit<FinalEntry, 'type'>;

/** Null = not filtered by it. */
export interface RequestQuery {
  /** 1 to 1000. */
  readonly limit: number;
  /** As an earlier page gave it in `next`. */
  readonly cursor: string | null;
  /** Epoch milliseconds, inclusive. */
  readonly from: number | null;
  /** Epoch milliseconds, exclusive. */
  readonly to: number | null;
  readonly key: string | null;
  readonly model: string | null;
  readonly target: string | null;
  readonly user: string | null;
  readonly code: string | null;
  readonly status: number | null;
}

export interface Page<Row> {
  readonly data: readonly Row[];
  readonly next: string | null;
}

export interface UsageQuery {
  /** Epoch milliseconds, inclusive; null = from the beginning. */
  readonly from: number | null;
  /** Epoch milliseconds, exclusive; null = until now. */
  readonly to: number | null;
  /** Fields of a row: `team`, `model`, `provider`, `key`, `user`, `customer`. At least one. */
  readonly by: readonly string[];
}

/** Finished requests, newest first. A query that makes no sense to it (a made-up cursor) is a `RangeError`. */
export interface RecordsPort {
  list(query: RequestQuery): Page<RequestRecord> | Promise<Page<RequestRecord>>;
  get(id: string): RequestRecord | null | Promise<RequestRecord | null>;
  /** Prompt and answer, where they are kept. */
  content(id: string): object | null | Promise<object | null>;
  usage(query: UsageQuery): readonly UsageRow[] | Promise<readonly UsageRow[]>;
}

export interface Readiness {
  /** Why this process should get no requests; empty = ready. */
  readonly reasons: readonly string[];
  /** Troubles that it works in spite of. */
  readonly degraded: readonly string[];
}

/** What is known about a provider's health; nulls where nobody has looked yet. */
export interface ProviderHealth {
  readonly health: 'healthy' | 'degraded' | 'ejected' | 'unknown';
  /** ISO 8601 UTC. */
  readonly ejected_until: string | null;
  /** Failed attempts ÷ attempts of the last minutes, 0 to 1. */
  readonly error_rate: number | null;
}

/** Everything that the admin API shows; it holds no state of its own. */
export interface AdminDependencies {
  readonly records: RecordsPort;
  readonly snapshot: () => Snapshot;
  readonly readiness: () => Readiness | Promise<Readiness>;
  readonly metrics: { render(): Promise<string> };
  /** Calls back for each finished request until the returned function is called. */
  readonly subscribe: (listener: (record: RequestRecord) => void) => () => void;
  /** Reads every segment again; the report is shown as it is. */
  readonly verifyLedger: () => object | Promise<object>;
  /** Where FOCUS files and invoices take finished requests from; absent = there are none of these. */
  readonly entries?: () => EntrySource;
  /** Absent = nothing is exported. */
  readonly exporters?: () => readonly ExportBacklog[];
  /** Absent = nobody is told. */
  readonly alerts?: () => AlertBacklog;
  /** Differences between Envoy's access log and the ledger, newest first. */
  readonly disagreements: () => readonly object[];
  /** Counters that requests used lately. */
  readonly limits: () => Promise<readonly LimitRow[]>;
  readonly providerHealth: (provider: string) => ProviderHealth | null;
  /** Where the gateway listens for apps, for the page. */
  readonly gatewayUrl: () => string;
  /** Gateway keys, fixed and issued. */
  readonly keys: KeyDesk;
  /** For failures of handlers: full detail for the operator, none for the caller. */
  readonly failure: (message: string, error: unknown) => void;
}

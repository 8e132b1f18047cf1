import type { Retention } from '../../config/money-rules.js';
import type { FinalEntry } from '../ledger/entry.js';
import type { RequestFilter, Span } from './request-filter.js';
import type { DatabaseSettings } from './sql/database.js';
import type { UsageRow } from './usage-report.js';

/** A finished request as `GET /api/v1/requests` answers it: the final entry without its `type`. */
export type RequestRecord = Omit<FinalEntry, 'type'>;

export interface RecordPage {
  /** Newest (last finished) first. May be shorter than asked for where filters match little: `next` tells whether to go on. */
  readonly data: readonly RequestRecord[];
  /** Cursor of the next page, null at the end. */
  readonly next: string | null;
}

/** The same with the ledger's own entries, for reports. */
export interface EntryPage {
  readonly data: readonly FinalEntry[];
  readonly next: string | null;
}

export interface RecordQuery extends RequestFilter {
  readonly limit: number;
  /** What the page before answered as `next`; null or absent = the newest. */
  readonly cursor?: string | null;
}

export interface UsageQuery extends Span {
  readonly by: readonly string[];
}

/** The prompt and the answer of a request, as text; known secrets are masked. */
export interface ContentRecord {
  readonly id: string;
  /** ISO 8601 UTC. */
  readonly time: string;
  readonly request: string;
  readonly response: string;
  /** Bytes that there were; more than in the text when it was cut. */
  readonly request_bytes: number;
  readonly response_bytes: number;
}

/** What can be asked; all of it is bounded in rows and time. */
export interface RecordsReader {
  /** Rejects with RangeError for a cursor that no page gave. */
  list(query: RecordQuery): Promise<RecordPage>;
  /** Waits up to 500 ms for a request that has just finished. */
  get(id: string): Promise<RequestRecord | null>;
  /** Rejects with RangeError when there are more groups than a report can show. */
  usage(query: UsageQuery): Promise<readonly UsageRow[]>;
  content(id: string): Promise<ContentRecord | null>;
  /** As `list`. */
  entries(query: RecordQuery): Promise<EntryPage>;
}

/** For `/readyz` (`degraded`) and metrics. */
export interface RecordsState {
  /** Bytes of the ledger that are not in the database yet. */
  readonly behindBytes: number;
  /** Rows written since the start. */
  readonly written: number;
  /** Lines of the ledger that could not be read and were left out, in the segments that are there; `ledger verify` tells more. */
  readonly damagedLines: number;
  /** What is wrong right now, null = nothing. Requests go on. */
  readonly error: string | null;
  /** Since when (epoch milliseconds), null when nothing is wrong. */
  readonly errorSince: number | null;
}

/** What the records need to run, in a thread of their own or in a command; cloneable. */
/** How long what is kept, and who must have read the ledger before its segments go. */
export interface Keeping extends Retention {
  /** Names of exporters; absent = none. */
  readonly exporters?: readonly string[];
}

export interface EngineOptions {
  /** The ledger directory. */
  readonly directory: string;
  readonly database: DatabaseSettings;
  readonly retention: Keeping;
  /** Where exporters note how far they are; absent = there are none. */
  readonly dataDirectory?: string;
  /** Where prompts and answers wait to be taken over; null = nobody looks. */
  readonly contentDirectory: string | null;
}

/** The database cannot answer now. The text is for operators. */
export class RecordsUnavailableError extends Error {
  readonly reason: string;

  constructor(reason: string) {
    super(`the records cannot be read: ${reason}`);
    this.reason = reason;
    this.name = 'RecordsUnavailableError';
  }
}

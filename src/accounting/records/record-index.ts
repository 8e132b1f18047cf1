import type { FinalEntry } from '../ledger/entry.js';
import { readLedger } from '../ledger/read-ledger.js';
import { fillFromLedger } from './fill.js';
import { isWithin, matchesFilter, type RequestFilter, type Span } from './request-filter.js';
import { UsageReport, type UsageRow } from './usage-report.js';

/** A finished request as `GET /api/v1/requests` answers it: the final entry without its `type`. */
export type RequestRecord = Omit<FinalEntry, 'type'>;

export interface RecordPage {
  /** Newest first. */
  readonly data: readonly RequestRecord[];
  /** Cursor of the next page, null at the end. */
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

export interface RecordIndexOptions {
  /** The ledger directory. */
  readonly directory: string;
  /** Final entries kept in memory; default 50,000 (about 60 MB). */
  readonly capacity?: number;
}

/** Answers the admin API from memory: the newest final entries, and the ledger itself for sums over more than these. */
export class RecordIndex {
  readonly #directory: string;
  readonly #capacity: number;
  readonly #slots = new Map<string, Slot>();
  /** In the order of finishing; position P is at index P - `#first`. Null = evicted. */
  #order: (FinalEntry | null)[] = [];
  #first = 0;
  /** No request that arrived after this (epoch ms) is missing here. */
  #completeAfter = Number.NEGATIVE_INFINITY;

  constructor(options: RecordIndexOptions) {
    this.#directory = options.directory;
    this.#capacity = options.capacity ?? 50_000;
  }

  get size(): number {
    return this.#slots.size;
  }

  /**
   * Reads the newest segments of the ledger until the index is full. Call it before the first `add`. Damaged lines are
   * left out; `tollgate ledger verify` tells about them.
   */
  async fill(): Promise<void> {
    const { entries, completeAfter } = await fillFromLedger(this.#directory, this.#capacity);
    this.#completeAfter = Math.max(this.#completeAfter, completeAfter);
    for (const entry of entries) this.add(entry);
  }

  /** Takes a finished request; a second one with the same id is ignored. */
  add(entry: FinalEntry): void {
    if (this.#slots.has(entry.id)) return;
    this.#slots.set(entry.id, { entry, position: this.#first + this.#order.length });
    this.#order.push(entry);
    if (this.#slots.size > this.#capacity) this.#evict();
  }

  get(id: string): RequestRecord | null {
    const slot = this.#slots.get(id);
    return slot ? toRecord(slot.entry) : null;
  }

  /** Throws RangeError for a cursor that is unknown, or so old that its request is no longer kept. */
  list(query: RecordQuery): RecordPage {
    const data: RequestRecord[] = [];
    for (let at = this.#indexOf(query.cursor ?? null) - 1; at >= 0; at -= 1) {
      const entry = this.#order[at];
      if (!entry || !matchesFilter(entry, query)) continue;
      if (data.length === query.limit) return { data, next: data.at(-1)?.id ?? null };
      data.push(toRecord(entry));
    }
    return { data, next: null };
  }

  /** Sums by the names in `by`. From memory when it holds everything of the span, else from the ledger. */
  async usage(query: UsageQuery): Promise<UsageRow[]> {
    const report = new UsageReport(query.by);
    const take = (entry: FinalEntry) => {
      if (isWithin(entry, query)) report.add(entry);
    };
    if (this.#holds(query)) {
      for (const { entry } of this.#slots.values()) take(entry);
    } else {
      await readLedger(this.#directory, (entry) => entry.type !== 'hold' && take(entry), { repair: true });
    }
    return report.rows();
  }

  /** Whether memory has every request of the span. */
  #holds(span: Span): boolean {
    const everything = this.#completeAfter === Number.NEGATIVE_INFINITY;
    return everything || (span.from ?? Number.NEGATIVE_INFINITY) > this.#completeAfter;
  }

  #indexOf(cursor: string | null): number {
    if (cursor === null) return this.#order.length;
    const slot = this.#slots.get(cursor);
    if (!slot) throw new RangeError('the cursor is not known (any more)');
    return slot.position - this.#first;
  }

  /** Forgets the oldest. The array is cut seldom, so that this costs nothing per entry. */
  #evict(): void {
    const at = this.#order.length - this.#slots.size;
    const entry = this.#order[at];
    this.#order[at] = null;
    if (entry) {
      this.#slots.delete(entry.id);
      this.#completeAfter = Math.max(this.#completeAfter, Date.parse(entry.time) || 0);
    }
    if (at < this.#capacity) return;
    this.#order = this.#order.slice(at + 1);
    this.#first += at + 1;
  }
}

interface Slot {
  readonly entry: FinalEntry;
  readonly position: number;
}

function toRecord({ type: _type, ...record }: FinalEntry): RequestRecord {
  return record;
}

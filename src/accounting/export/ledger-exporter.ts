import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { customerOf } from '../billing/customer.js';
import type { FinalEntry } from '../ledger/entry.js';
import { pause } from '../pause.js';
import { LedgerTail, type Reading } from '../records/ledger-tail.js';
import { type Backoff, backoffMs } from '../retry-after.js';
import { type Delivery, deliver, type Failure } from './deliver.js';
import type { Destination, ExportEvent, ExportSettings } from './destination.js';
import { createDestination } from './destinations.js';
import { ExportFiles, type ExportState } from './export-state.js';

/** What is not told yet; also a row of the admin API. */
export interface ExportBacklog {
  readonly name: string;
  readonly kind: ExportSettings['kind'];
  /** Finished requests; beyond the next two thousand an estimate from `bytes_behind`. */
  readonly entries_behind: number;
  readonly bytes_behind: number;
  /** Milliseconds since the oldest of them finished; 0 when there is none. */
  readonly oldest_unsent_ms: number;
  /** Events: told, put aside. */
  readonly sent: number;
  readonly rejected: number;
  /** Billable requests that were left out because they name no customer. */
  readonly without_customer: number;
  /** Null while all goes well. */
  readonly last_error: string | null;
}

/** What became of events for good. */
export type EventOutcome = 'sent' | 'rejected';

export interface ExporterOptions {
  readonly settings: ExportSettings;
  readonly ledgerDirectory: string;
  /** Where the state is kept. */
  readonly directory: string;
  readonly fetch: typeof globalThis.fetch;
  /** Epoch milliseconds. */
  readonly now: () => number;
  readonly random: () => number;
  readonly timing: ExportTiming;
  /** A failure that nobody has been told of yet, and the end of it (null). Must not throw. */
  readonly onProblem: (message: string | null) => void;
  /** Must not throw. */
  readonly onEvents: (outcome: EventOutcome, count: number) => void;
}

export interface ExportTiming extends Backoff {
  /** Between looks at a ledger with nothing new. */
  readonly pollMs: number;
  readonly timeoutMs: number;
}

/** One look at the whole ledger for every so many at what is being written. */
const FULL_LOOK_EVERY = 10;
/** A guess until something was read. */
const ENTRY_BYTES = 1_000;

/**
 * Tells one receiver about every finished request at least once, by what the ledger says and never by what is in memory. Reads
 * synchronously: for a thread of its own. Nobody else may work with the same files (`exports-owner.ts`).
 */
export class LedgerExporter {
  readonly #options: ExporterOptions;
  readonly #destination: Destination;
  readonly #files: ExportFiles;
  readonly #tail: LedgerTail;
  readonly #closing = new AbortController();
  readonly #running: Promise<void>;
  #state: ExportState | null = null;
  #pending: readonly ExportEvent[] = [];
  #read = { entries: 0, bytes: 0 };
  #readingBytes = 0;
  #error: string | null = null;
  #failures = 0;

  constructor(options: ExporterOptions) {
    this.#options = options;
    this.#destination = createDestination(options.settings);
    this.#files = new ExportFiles(options.directory, options.settings.name);
    this.#tail = new LedgerTail(options.ledgerDirectory);
    this.#running = this.#run();
  }

  backlog(): ExportBacklog {
    const { name, kind } = this.#options.settings;
    const first = this.#pending[0]?.entry;
    const bytes = this.#tail.behindBytes;
    const perEntry = this.#read.entries > 0 ? this.#read.bytes / this.#read.entries : ENTRY_BYTES;
    const unread = Math.round(Math.max(0, bytes - this.#readingBytes) / perEntry);
    return {
      name,
      kind,
      entries_behind: new Set(this.#pending.map(({ entry }) => entry.id)).size + unread,
      bytes_behind: bytes,
      oldest_unsent_ms: first ? Math.max(0, this.#options.now() - Date.parse(first.time) - first.ms) : 0,
      sent: this.#state?.sent ?? 0,
      rejected: this.#state?.rejected ?? 0,
      without_customer: this.#state?.without_customer ?? 0,
      last_error: this.#error,
    };
  }

  /** Ends after the request that is on its way; what is not told is told by the next one. */
  close(): Promise<void> {
    this.#closing.abort();
    return this.#running;
  }

  async #run(): Promise<void> {
    for (let looks = 0; !this.#closed; looks += 1) {
      try {
        this.#state ??= await this.#load();
        await this.#tail.refresh({ livingOnly: looks % FULL_LOOK_EVERY !== 0 });
        const reading = this.#tail.read();
        if (reading) await this.#ship(reading, this.#state);
        this.#succeeded();
        if (!reading || reading.entries.length < this.#options.settings.batch)
          await pause(this.#options.timing.pollMs, this.#closing.signal);
      } catch (error) {
        // The disk, then: whatever was in memory may be ahead of it.
        this.#state = null;
        await this.#failed({ reason: String(error), afterMs: null, inDoubt: false });
      }
    }
  }

  get #closed(): boolean {
    return this.#closing.signal.aborted;
  }

  async #load(): Promise<ExportState> {
    const loaded = await this.#files.load();
    // Segments that were removed need no position.
    const there = loaded.positions.filter(({ file }) => existsSync(join(this.#options.ledgerDirectory, file)));
    this.#tail.use(there);
    return { ...loaded, positions: there };
  }

  /** Returns when all is told, or at the end. */
  async #ship(reading: Reading, from: ExportState): Promise<void> {
    const { events, withoutCustomer } = this.#eventsOf(reading.entries);
    const told = new Set(from.delivered);
    this.#pending = events.filter(({ id }) => !told.has(id));
    this.#readingBytes = reading.moves.reduce((sum, { from: begin, to }) => sum + to.bytes - (begin?.bytes ?? 0), 0);
    while (this.#pending.length > 0 && !this.#closed) await this.#round();
    const state = this.#state;
    if (this.#closed || state === null) return;
    const positions = new Map(state.positions.map((position) => [position.file, position]));
    for (const { to } of reading.moves) positions.set(to.file, to);
    await this.#save({
      ...state,
      positions: [...positions.values()],
      delivered: [],
      attempted: {},
      without_customer: state.without_customer + withoutCustomer,
    });
    this.#tail.accept(reading.moves);
    this.#read = {
      entries: this.#read.entries + reading.entries.length,
      bytes: this.#read.bytes + this.#readingBytes,
    };
    this.#readingBytes = 0;
  }

  #eventsOf(entries: readonly FinalEntry[]): { events: ExportEvent[]; withoutCustomer: number } {
    const events: ExportEvent[] = [];
    let withoutCustomer = 0;
    for (const entry of entries) {
      const made = this.#destination.eventsOf(entry, customerOf(entry, this.#options.settings.customer));
      if (made === 'no customer') withoutCustomer += 1;
      else events.push(...made);
    }
    return { events, withoutCustomer };
  }

  /** One batch, to its end or its failure. */
  async #round(): Promise<void> {
    const { settings, fetch, now, timing } = this.#options;
    const batch = this.#pending.slice(0, settings.batch);
    const { fresh, forgotten } = await this.#attempt(batch);
    const line = { url: settings.url, destination: this.#destination, fetch, timeoutMs: timing.timeoutMs, now };
    const sent = await deliver(line, fresh);
    const delivery = { ...sent, refused: [...forgotten, ...sent.refused] };
    await this.#book(delivery);
    if (delivery.failure) await this.#failed(delivery.failure);
    else this.#failures = 0;
  }

  /**
   * Where the receiver forgets ids: writes down that these are tried from now on, and sorts out those that may have been taken so
   * long ago that it would take them again.
   */
  async #attempt(batch: readonly ExportEvent[]) {
    const { remembersMs } = this.#destination.limits;
    const state = this.#state;
    if (remembersMs === null || state === null) return { fresh: batch, forgotten: [] };
    const now = this.#options.now();
    const isForgotten = ({ id }: ExportEvent) => now - (state.attempted[id] ?? now) >= remembersMs;
    const fresh = batch.filter((event) => !isForgotten(event));
    const reason = 'may have been taken already, but the receiver no longer remembers';
    const attempted = Object.fromEntries(fresh.map(({ id }) => [id, state.attempted[id] ?? now]));
    await this.#save({ ...state, attempted: { ...state.attempted, ...attempted } });
    return { fresh, forgotten: batch.filter(isForgotten).map((event) => ({ event, reason })) };
  }

  async #book({ delivered, refused, failure }: Delivery): Promise<void> {
    const state = this.#state;
    if (state === null) return;
    const done = new Set([...delivered, ...refused.map(({ event }) => event)].map(({ id }) => id));
    await this.#files.reject(refused, new Date(this.#options.now()).toISOString());
    const open = failure?.inDoubt === true ? Object.entries(state.attempted).filter(([id]) => !done.has(id)) : [];
    if (done.size > 0 || Object.keys(state.attempted).length > 0) {
      await this.#save({
        ...state,
        delivered: [...state.delivered, ...done],
        attempted: Object.fromEntries(open),
        sent: state.sent + delivered.length,
        rejected: state.rejected + refused.length,
      });
    }
    this.#pending = this.#pending.filter(({ id }) => !done.has(id));
    if (delivered.length > 0) this.#options.onEvents('sent', delivered.length);
    if (refused.length > 0) this.#options.onEvents('rejected', refused.length);
  }

  async #save(state: ExportState): Promise<void> {
    await this.#files.save(state);
    this.#state = state;
  }

  async #failed({ reason, afterMs }: Failure): Promise<void> {
    if (this.#error === null) this.#options.onProblem(reason);
    this.#error = reason;
    this.#failures += 1;
    const { timing, random } = this.#options;
    await pause(Math.max(afterMs ?? 0, backoffMs(this.#failures, timing, random)), this.#closing.signal);
  }

  #succeeded(): void {
    if (this.#error !== null) this.#options.onProblem(null);
    this.#error = null;
    this.#failures = 0;
  }
}

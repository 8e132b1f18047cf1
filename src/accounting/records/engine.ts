import { setTimeout as pause, setImmediate as turn } from 'node:timers/promises';
import { exportedSegments } from '../export/exported-segments.js';
import { ContentMover, readContent } from './content/take-content.js';
import { expireRows } from './expire-rows.js';
import { ledgerId } from './ledger-id.js';
import { LedgerPieces } from './ledger-pieces.js';
import { LedgerTail } from './ledger-tail.js';
import { getRequest, listEntries, listRequests } from './list-requests.js';
import {
  type ContentRecord,
  type EngineOptions,
  type EntryPage,
  type Keeping,
  type RecordPage,
  type RecordQuery,
  type RecordsReader,
  type RecordsState,
  RecordsUnavailableError,
  type RequestRecord,
  type UsageQuery,
} from './record.js';
import { requestRow } from './request-row.js';
import type { Database } from './sql/database.js';
import { migrate } from './sql/migrate.js';
import { openDatabase } from './sql/open-database.js';
import { sumUsage } from './sum-usage.js';
import { trimLedger } from './trim-ledger.js';
import type { UsageRow } from './usage-report.js';
import { addSource, readPositions, writeBatch } from './write-batch.js';

/** How long `get` waits for a request that may just have finished. */
export const PATIENCE_MS = 500;
/** How long a query waits for a database that is being opened. */
const OPENING_MS = 5_000;

/** The ledger's way into the database, and the questions to it. One per thread or command; SQLite blocks the thread while it works. */
export class RecordsEngine implements RecordsReader {
  readonly #options: EngineOptions;
  readonly #tail: LedgerTail;
  readonly #content: ContentMover | null;
  readonly #open: typeof openDatabase;
  #source = '';
  #writer: Database | null = null;
  #reader: Promise<Database> | null = null;
  /** The database was there once, with our schema. */
  readonly #ready = Promise.withResolvers<void>();
  #isReady = false;
  /** Why the last try to open it failed, as long as none has succeeded. */
  #openingError: unknown = null;
  #written = 0;
  /** Called and forgotten at each commit. */
  #waiting: (() => void)[] = [];
  retention: Keeping;

  constructor(options: EngineOptions, open = openDatabase) {
    this.#options = options;
    this.#open = open;
    this.#tail = new LedgerTail(options.directory);
    this.#content = options.contentDirectory === null ? null : new ContentMover(options.contentDirectory);
    this.retention = options.retention;
  }

  /** Opens the database if need be and writes all that the ledger has; then `catchUp` again, or `close`. Rejects when it cannot. */
  async catchUp({ livingOnly }: { readonly livingOnly: boolean }): Promise<void> {
    const writer = await this.#begin();
    await this.#tail.refresh({ livingOnly });
    for (let pieces = this.#pieces(); pieces.any; pieces = this.#pieces()) {
      const written = await writeBatch(writer, this.#source, pieces);
      if (written === null) await this.#startOver(writer);
      else {
        this.#tail.accept(written.moves);
        this.#written += written.rows;
      }
      this.#committed();
      // SQLite answers at once, so that questions would wait for the whole ledger.
      await turn();
    }
    await this.#content?.move(writer, this.#source);
  }

  /** Deletes some of what is too old; true when there may be more. */
  async expire(now: number): Promise<boolean> {
    const writer = await this.#begin();
    if (await expireRows(writer, this.retention, now)) return true;
    const { ledgerMs, exporters: names = [] } = this.retention;
    if (ledgerMs === null) return false;
    const { directory, dataDirectory } = this.#options;
    const isExported =
      dataDirectory === undefined ? () => true : exportedSegments({ ledgerDirectory: directory, dataDirectory, names });
    const deleted = await trimLedger({
      directory,
      before: now - ledgerMs,
      isComplete: (name) => this.#tail.isComplete(name) && isExported(name),
    });
    for (const file of deleted) {
      await writer.query('delete from positions where source = ? and file = ?', [this.#source, file]);
    }
    return false;
  }

  /** Gives the connection up: positions are read again from what the database then says. */
  async release(): Promise<void> {
    const writer = this.#writer;
    this.#writer = null;
    await writer?.close().catch(() => undefined);
  }

  /** How long the ledger is now, for `state`; needs no database. */
  measure(): Promise<void> {
    return this.#tail.refresh({ livingOnly: false });
  }

  get state(): Omit<RecordsState, 'error' | 'errorSince'> {
    return { behindBytes: this.#tail.behindBytes, written: this.#written, damagedLines: this.#tail.damagedLines };
  }

  list(query: RecordQuery): Promise<RecordPage> {
    return this.#ask((database) => listRequests(database, query));
  }

  async get(id: string): Promise<RequestRecord | null> {
    const until = performance.now() + PATIENCE_MS;
    for (;;) {
      const committed = this.#nextCommit();
      const found = await this.#ask((database) => getRequest(database, id));
      const left = until - performance.now();
      if (found || left <= 0) return found;
      await Promise.race([committed, pause(left)]);
    }
  }

  usage(query: UsageQuery): Promise<readonly UsageRow[]> {
    return this.#ask((database) => sumUsage(database, query));
  }

  content(id: string): Promise<ContentRecord | null> {
    return this.#ask((database) => readContent(database, id));
  }

  entries(query: RecordQuery): Promise<EntryPage> {
    return this.#ask((database) => listEntries(database, query));
  }

  async close(): Promise<void> {
    await this.release();
    await this.#closeReader();
  }

  /** The next lines of the ledger as rows, for one transaction. */
  #pieces(): LedgerPieces {
    return new LedgerPieces(this.#tail, (entry, text) => requestRow(entry, this.#source, text));
  }

  async #begin(): Promise<Database> {
    if (this.#writer) return this.#writer;
    try {
      this.#writer = await this.#openWriter();
    } catch (error) {
      this.#openingError = error;
      throw error;
    }
    this.#isReady = true;
    this.#ready.resolve();
    return this.#writer;
  }

  async #openWriter(): Promise<Database> {
    this.#source = ledgerId(this.#options.directory);
    const writer = await this.#open(this.#options.database, { reading: false });
    try {
      await migrate(writer);
      await this.#startOver(writer);
      return writer;
    } catch (error) {
      await writer.close().catch(() => undefined);
      throw error;
    }
  }

  async #startOver(writer: Database): Promise<void> {
    await addSource(writer, this.#source);
    this.#tail.use(await readPositions(writer, this.#source));
  }

  #nextCommit(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #committed(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }

  /** Questions have a connection of their own: none waits for a batch, and no batch for a question. */
  async #ask<T>(question: (database: Database) => Promise<T>): Promise<T> {
    try {
      if (!this.#isReady && this.#openingError !== null) throw this.#openingError;
      await within(OPENING_MS, this.#ready.promise);
      this.#reader ??= this.#open(this.#options.database, { reading: true });
      return await question(await this.#reader);
    } catch (error) {
      if (error instanceof RangeError) throw error;
      await this.#closeReader();
      throw new RecordsUnavailableError(error instanceof Error ? error.message : String(error));
    }
  }

  async #closeReader(): Promise<void> {
    const reader = this.#reader;
    this.#reader = null;
    await reader?.then((database) => database.close()).catch(() => undefined);
  }
}

/** Rejects when the promise takes longer. */
async function within(ms: number, promise: Promise<void>): Promise<void> {
  const stop = new AbortController();
  const late = pause(ms, undefined, { signal: stop.signal, ref: false }).then(
    () => {
      throw new Error('the database could not be opened yet');
    },
    () => undefined,
  );
  try {
    await Promise.race([promise, late]);
  } finally {
    stop.abort();
  }
}

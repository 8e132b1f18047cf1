import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Database, OpenOptions, Row, Session, Upsert, Value } from './database.js';
import { insertStatement } from './insert-statement.js';

/** How long a statement waits for another process that writes. The waiting thread is the records' own. */
const BUSY_MS = 5_000;
/**
 * Of a new file; one that is there keeps its own. Requests' ids are random: nearly every row changes a page of their index for itself,
 * which is written as a whole. Fewer pages, more of whose rows come together, are a sixth less work, and so are fewer checkpoints.
 */
const PAGE_BYTES = 8192;
/** Pages in the write-ahead log after which they are copied: what was changed again meanwhile is copied once. */
const CHECKPOINT_PAGES = 8_000;
/** Prepared statements kept; the texts of queries differ by their filters. */
const MOST_STATEMENTS = 200;

/** Opens, and unless `reading` makes, the SQLite file (mode 0600). Rejects with what SQLite or the file system says. */
export async function openSqlite(path: string, { reading }: OpenOptions): Promise<Database> {
  const { DatabaseSync } = loadSqlite();
  if (!reading) {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    // SQLite gives the files beside it the mode of this one.
    closeSync(openSync(path, 'a', 0o600));
  }
  const connection = new DatabaseSync(path, { readOnly: reading });
  try {
    connection.exec(`pragma busy_timeout = ${BUSY_MS}`);
    if (!reading) {
      connection.exec(`pragma page_size = ${PAGE_BYTES}; pragma journal_mode = wal`);
      // A lost commit after a power cut is read again from the ledger, so a sync per commit buys nothing.
      connection.exec(`pragma synchronous = normal; pragma wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
    }
    connection.exec('pragma cache_size = -32768; pragma temp_store = memory');
  } catch (error) {
    connection.close();
    throw error;
  }
  return new SqliteDatabase(connection);
}

/** `node:sqlite` announces itself as experimental; only that announcement is kept quiet. */
function loadSqlite(): typeof import('node:sqlite') {
  const { emitWarning } = process;
  process.emitWarning = (warning: string | Error, ...rest: unknown[]): void => {
    if (!String(warning).startsWith('SQLite is an experimental feature'))
      Reflect.apply(emitWarning, process, [warning, ...rest]);
  };
  try {
    return process.getBuiltinModule('node:sqlite');
  } finally {
    process.emitWarning = emitWarning;
  }
}

class SqliteDatabase implements Database {
  readonly kind = 'sqlite';
  readonly #connection: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(connection: DatabaseSync) {
    this.#connection = connection;
  }

  async query(sql: string, values: readonly Value[] = []): Promise<readonly Row[]> {
    return this.#statement(sql).all(...values) as unknown as Row[];
  }

  async write(upsert: Upsert, rows: readonly (readonly Value[])[]): Promise<ReadonlySet<string>> {
    const places = upsert.columns.map(() => '?').join(', ');
    const statement = this.#statement(insertStatement(upsert, `values (${places})`));
    const written = new Set<string>();
    for (const row of rows) if (statement.run(...row).changes) written.add(String(row[0]));
    return written;
  }

  async transaction<T>(work: (session: Session) => Promise<T>): Promise<T> {
    this.#connection.exec('begin immediate');
    try {
      const result = await work(this);
      this.#connection.exec('commit');
      return result;
    } catch (error) {
      if (this.#connection.isTransaction) this.#connection.exec('rollback');
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#statements.clear();
    this.#connection.close();
  }

  #statement(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known) return known;
    if (this.#statements.size >= MOST_STATEMENTS) this.#statements.clear();
    const statement = this.#connection.prepare(sql);
    statement.setReadBigInts(true);
    this.#statements.set(sql, statement);
    return statement;
  }
}

/** What a statement takes. Integers beyond 2^53 are BigInt. */
export type Value = string | number | bigint | null;

/** What a statement answers: every integer is a BigInt, JSON is its text. */
export type Row = Readonly<Record<string, string | number | bigint | null>>;

export interface Column {
  readonly name: string;
  readonly type: 'integer' | 'text' | 'json';
}

/** Rows for one table, each written once. */
export interface Upsert {
  readonly table: string;
  readonly columns: readonly Column[];
  /** Columns that make a row the same row. */
  readonly key: readonly string[];
  /** What follows `do update set` when the row is there already; null = it stays as it is. */
  readonly update: string | null;
}

export interface Session {
  readonly kind: 'sqlite' | 'postgres';
  /** Runs one statement with `?` for values (never a `?` in a literal). Rejects with what the database says. */
  query(sql: string, values?: readonly Value[]): Promise<readonly Row[]>;
  /** Writes rows in the order given, values in the order of the columns; resolves to the first column of those that were written. */
  write(upsert: Upsert, rows: readonly (readonly Value[])[]): Promise<ReadonlySet<string>>;
}

/**
 * The seam to the records database: one connection, used by one flow of control. After a rejection it may be unusable: close it
 * and open another.
 */
export interface Database extends Session {
  /** All or nothing. In SQLite it is the only writer from its first statement on; Postgres locks rows as statements ask. */
  transaction<T>(work: (session: Session) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** Which database, and where. */
export type DatabaseSettings =
  | { readonly kind: 'sqlite'; readonly path: string }
  | { readonly kind: 'postgres'; readonly url: string };

export interface OpenOptions {
  /** For queries of people: bounded in time, and for SQLite unable to write. The database must be there. */
  readonly reading: boolean;
}

import { Pool } from 'pg';
import { type IssuedKey, parseIssuedKey } from './issued-key.js';
import type { Changes, Head, KeyLog, Write } from './key-log.js';

export interface PostgresKeyOptions {
  /** `postgres://`; may hold a password. */
  readonly url: string;
  /** Milliseconds after which an unanswered statement has failed. */
  readonly timeoutMs: number;
}

const PAGE = 500;
const UNDEFINED_TABLE = '42P01';

/** Under a lock: two processes that create the same table at once would fail otherwise. */
const MIGRATE = `
select pg_advisory_xact_lock(7301442);
create table if not exists tollgate_keys (
  id text primary key, revision bigint not null, position bigint not null, body text not null);
create index if not exists tollgate_keys_position on tollgate_keys (position);
create table if not exists tollgate_keys_head (
  one boolean primary key default true check (one), epoch text not null, position bigint not null);
insert into tollgate_keys_head (epoch, position) values (gen_random_uuid()::text, 0) on conflict do nothing;`;

const HEAD = 'select epoch, position from tollgate_keys_head';
const CHANGES = 'select position, body from tollgate_keys where position > $1 order by position limit $2';

/** The row of the head is locked first, so that positions become visible in their order. */
const write = (ifFree: string, ifNewer: string): string => `
with head as (update tollgate_keys_head set position = position + 1 returning position)
insert into tollgate_keys (id, revision, position, body)
  select $1::text, $2::bigint, head.position, $3::text from head where ${ifFree}
on conflict (id) do update
  set revision = excluded.revision, position = excluded.position, body = excluded.body
  where ${ifNewer}`;
const WRITE = {
  next: write(
    '$2::bigint = 1 or exists (select from tollgate_keys where id = $1::text)',
    'tollgate_keys.revision = excluded.revision - 1',
  ),
  newest: write('true', 'tollgate_keys.revision < excluded.revision'),
};

/** Revisions in two Postgres tables, made when they are missing. */
export class PostgresKeyLog implements KeyLog {
  readonly #pool: Pool;

  constructor({ url, timeoutMs }: PostgresKeyOptions) {
    this.#pool = new Pool({
      connectionString: url,
      max: 1,
      connectionTimeoutMillis: timeoutMs,
      query_timeout: timeoutMs,
      statement_timeout: timeoutMs,
      application_name: 'tollgate keys',
    });
    // Without a listener a connection lost while idle would end the process; the next statement says so too.
    this.#pool.on('error', () => undefined);
  }

  async head(): Promise<Head> {
    const rows = await this.#headRows();
    const [row] = rows;
    return { epoch: String(row?.['epoch'] ?? ''), position: Number(row?.['position'] ?? 0) };
  }

  async changes(position: number): Promise<Changes> {
    const rows = await this.#query(CHANGES, [position, PAGE]);
    const keys: IssuedKey[] = [];
    for (const row of rows) {
      const key = parseIssuedKey(String(row['body']));
      if (key) keys.push(key);
    }
    const next = Number(rows.at(-1)?.['position'] ?? position);
    const damages = keys.length < rows.length ? [`${rows.length - keys.length} keys could not be read`] : [];
    return { keys, position: next, last: rows.length < PAGE, damages };
  }

  async write({ key, rule }: Write): Promise<boolean> {
    const { rowCount } = await this.#pool.query(WRITE[rule], [key.id, key.revision, JSON.stringify(key)]);
    return rowCount === 1;
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }

  async #headRows(): Promise<readonly Row[]> {
    try {
      const rows = await this.#query(HEAD, []);
      if (rows.length > 0) return rows;
    } catch (error) {
      if ((error as { code?: unknown }).code !== UNDEFINED_TABLE) throw error;
    }
    await this.#pool.query(MIGRATE);
    return this.#query(HEAD, []);
  }

  async #query(text: string, values: readonly unknown[]): Promise<readonly Row[]> {
    return (await this.#pool.query<Row>(text, [...values])).rows;
  }
}

type Row = Readonly<Record<string, unknown>>;

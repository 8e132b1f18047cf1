import type { Socket } from 'node:net';
import { Client, type CustomTypesConfig } from 'pg';
import type { Database, OpenOptions, Row, Session, Upsert, Value } from './database.js';
import { insertStatement } from './insert-statement.js';
import { POSTGRES_SCHEMA } from './postgres-schema.js';

const CONNECT_MS = 5_000;
/** A batch that takes longer meets a database that is stuck: the connection is given up and the batch read again. */
const WRITE_MS = 30_000;
const READ_MS = 10_000;

/** Object identifiers of int8, int2, int4, numeric: see `select oid, typname from pg_type`. */
const INTEGER_TYPES = new Set([20, 21, 23, 1700]);
const TYPES: CustomTypesConfig = {
  getTypeParser: (oid: number) => (INTEGER_TYPES.has(oid) ? (text: string) => BigInt(text) : (text: string) => text),
};

/** Connects. Rejects with what Postgres or the network says. */
export async function openPostgres(url: string, { reading }: OpenOptions): Promise<Database> {
  const limit = reading ? READ_MS : WRITE_MS;
  const client = new Client({
    connectionString: url,
    application_name: 'tollgate',
    connectionTimeoutMillis: CONNECT_MS,
    keepAlive: true,
    statement_timeout: limit,
    query_timeout: limit + 2_000,
    lock_timeout: CONNECT_MS,
    idle_in_transaction_session_timeout: WRITE_MS,
    types: TYPES,
  });
  // A connection lost between two queries: the next query rejects, which is when it matters.
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query(
      `set search_path to ${POSTGRES_SCHEMA}; set time zone 'UTC'; set client_min_messages to warning`,
    );
  } catch (error) {
    disconnect(client);
    throw error;
  }
  return new PostgresDatabase(client);
}

class PostgresDatabase implements Database {
  readonly kind = 'postgres';
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  async query(sql: string, values: readonly Value[] = []): Promise<readonly Row[]> {
    const result = await this.#client.query<Row>(numbered(sql), [...values]);
    return result.rows;
  }

  /** All rows in one statement and one parameter: its text does not depend on their number. */
  async write(upsert: Upsert, rows: readonly (readonly Value[])[]): Promise<ReadonlySet<string>> {
    if (rows.length === 0) return new Set();
    const { columns } = upsert;
    const types = columns.map(({ name, type }) => `${name} ${type === 'integer' ? 'bigint' : 'text'}`).join(', ');
    const names = columns.map(({ name, type }) => (type === 'json' ? `${name}::json` : name)).join(', ');
    const sql = insertStatement(upsert, `select ${names} from json_to_recordset($1::json) as given (${types})`);
    const [first] = columns;
    const result = await this.#client.query<Row>(`${sql} returning ${first?.name}`, [asObjects(upsert, rows)]);
    return new Set(result.rows.map((row) => String(row[first?.name ?? ''])));
  }

  async transaction<T>(work: (session: Session) => Promise<T>): Promise<T> {
    await this.#client.query('begin');
    try {
      const result = await work(this);
      await this.#client.query('commit');
      return result;
    } catch (error) {
      await this.#client.query('rollback').catch(() => undefined);
      throw error;
    }
  }

  async close(): Promise<void> {
    disconnect(this.#client);
  }
}

function numbered(sql: string): string {
  let number = 0;
  return sql.replace(/\?/g, () => {
    number += 1;
    return `$${number}`;
  });
}

function asObjects({ columns }: Upsert, rows: readonly (readonly Value[])[]): string {
  const objects = rows.map((row) => Object.fromEntries(columns.map(({ name }, at) => [name, row[at]])));
  return JSON.stringify(objects, (_name, value: unknown) => (typeof value === 'bigint' ? value.toString() : value));
}

/** Says goodbye without waiting for a server that may never answer. */
function disconnect(client: Client): void {
  client.end().catch(() => undefined);
  const { connection } = client as unknown as { readonly connection?: { readonly stream?: Socket } };
  const socket = connection?.stream;
  if (socket) setTimeout(() => socket.destroy(), 500).unref();
}

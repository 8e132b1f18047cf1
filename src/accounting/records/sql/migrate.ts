import type { Database, Session } from './database.js';
import { POSTGRES_SCHEMA } from './postgres-schema.js';

/** Any number, the same in every process that may migrate the same Postgres. */
const MIGRATION_LOCK = 7_086_413;

/** Made by a newer version of this program: nothing is read or written, nothing is changed. */
export class SchemaTooNewError extends Error {
  constructor(found: number, known: number) {
    super(
      `the records database has schema ${found}, this version knows up to ${known}: update, or use another database`,
    );
    this.name = 'SchemaTooNewError';
  }
}

interface Types {
  /** 64 bits. */
  readonly integer: string;
  readonly json: string;
  /** After a table whose key is not a number. */
  readonly keyed: string;
}

const TYPES: Readonly<Record<Database['kind'], Types>> = {
  sqlite: { integer: 'integer', json: 'text', keyed: ' without rowid' },
  postgres: { integer: 'bigint', json: 'json', keyed: '' },
};

/** Number N of the list brings schema N − 1 to N. Never changed once released: add another one. */
export const MIGRATIONS: readonly ((types: Types) => readonly string[])[] = [firstSchema];

/** Brings the database to the newest schema, whoever else tries at the same time. Rejects with `SchemaTooNewError`. */
export async function migrate(database: Database, migrations = MIGRATIONS): Promise<void> {
  const types = TYPES[database.kind];
  await database.transaction(async (session) => {
    if (database.kind === 'postgres') await preparePostgres(session);
    await session.query(`create table if not exists schema_version (version ${types.integer} not null)`);
    const [row] = await session.query('select coalesce(max(version), 0) as version from schema_version');
    const found = Number(row?.['version'] ?? 0);
    if (found > migrations.length) throw new SchemaTooNewError(found, migrations.length);
    for (const [at, statements] of migrations.entries()) {
      if (at < found) continue;
      for (const statement of statements(types)) await session.query(statement);
      await session.query('insert into schema_version (version) values (?)', [at + 1]);
    }
  });
}

/** The schema may have been made by somebody who is allowed to, for a user who is not. */
async function preparePostgres(session: Session): Promise<void> {
  await session.query(`select pg_advisory_xact_lock(${MIGRATION_LOCK})`);
  const found = await session.query('select 1 as found from pg_namespace where nspname = ?', [POSTGRES_SCHEMA]);
  if (found.length === 0) await session.query(`create schema ${POSTGRES_SCHEMA}`);
}

/** As they were then: a class that comes later needs a migration that adds its columns. */
const FIRST_USAGE = [
  'usage_input',
  'usage_cache_read',
  'usage_cache_write_5m',
  'usage_cache_write_1h',
  'usage_input_audio',
  'usage_input_image',
  'usage_output',
  'usage_reasoning',
  'usage_output_audio',
  'usage_images',
  'usage_audio_seconds',
  'usage_search_units',
  'usage_characters',
];
const FIRST_COUNTS = [
  'requests',
  'errors',
  'estimated_requests',
  'priced_requests',
  'unpriced_requests',
  'cost_nano_usd',
];

function firstSchema({ integer, json, keyed }: Types): readonly string[] {
  const sums = (names: readonly string[]): string => names.map((name) => `${name} ${integer} not null`).join(', ');
  const groups = `key_id text not null, end_user text not null, endpoint text not null, model text not null,
    target text not null, provider text not null, status ${integer} not null, code text not null, labels ${json} not null`;
  return [
    `create table sources (source text primary key, requests_from ${integer} not null)${keyed}`,
    `create table positions (source text not null, file text not null, bytes ${integer} not null, identity text not null,
      damaged ${integer} not null, primary key (source, file))${keyed}`,
    `create table facts (name text primary key, value ${integer} not null)${keyed}`,
    `create table requests (id text primary key, source text not null, type text not null, time ${integer} not null,
      finished ${integer} not null, key_id text not null, end_user text not null, endpoint text not null,
      model text not null, route text, target text, provider text, answered_model text, stream ${integer} not null,
      status ${integer} not null, code text, usage_source text, cost_nano_usd ${integer}, ${sums(FIRST_USAGE)},
      first_token_ms ${integer}, ms ${integer} not null, labels ${json} not null, dimension text not null,
      entry ${json} not null)`,
    'create index requests_finished on requests (finished desc, id desc)',
    'create index requests_key on requests (key_id, finished)',
    `create index requests_user on requests (end_user, finished) where end_user <> ''`,
    'create index requests_code on requests (code, finished) where code is not null',
    `create table dimensions (dimension text primary key, ${groups}, last_start ${integer} not null)${keyed}`,
    'create index dimensions_last on dimensions (last_start)',
    `create table rollups (step ${integer} not null, start ${integer} not null, dimension text not null,
      ${sums([...FIRST_COUNTS, ...FIRST_USAGE])}, primary key (step, start, dimension))${keyed}`,
    `create table contents (id text primary key, source text not null, time ${integer} not null, request text not null,
      response text not null, request_bytes ${integer} not null, response_bytes ${integer} not null)`,
    'create index contents_time on contents (time)',
  ];
}

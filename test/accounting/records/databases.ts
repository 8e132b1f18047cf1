import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RecordsEngine } from '../../../src/accounting/records/engine.js';
import type { EngineOptions } from '../../../src/accounting/records/record.js';
import type { Database, DatabaseSettings } from '../../../src/accounting/records/sql/database.js';
import { openDatabase } from '../../../src/accounting/records/sql/open-database.js';
import { missing } from '../../servers/binaries.js';
import { type PostgresServer, startPostgres } from '../../servers/postgres.js';

interface Tearable {
  teardown(done: () => unknown): void;
}

/** Empty databases of one kind. */
export interface Databases {
  readonly kind: Database['kind'];
  /** Null for SQLite. */
  readonly server: PostgresServer | null;
  make(): Promise<DatabaseSettings>;
}

/** The cases of a table run once with each. */
export const KINDS = [
  { kind: 'sqlite', skip: false },
  { kind: 'postgres', skip: missing('postgres') },
] as const;

export async function testDatabases(t: Tearable, kind: Database['kind']): Promise<Databases> {
  if (kind === 'postgres') {
    const server = await startPostgres();
    t.teardown(() => server.stop());
    return { kind, server, make: async () => ({ kind, url: await server.createDatabase() }) };
  }
  const directory = mkdtempSync(join(tmpdir(), 'tollgate-records-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  let number = 0;
  const make = async () => {
    number += 1;
    return { kind, path: join(directory, `${number}.db`) } as const;
  };
  return { kind, server: null, make };
}

export const KEEP_ALL = { recordsMs: null, contentMs: null, rollupsMs: null, ledgerMs: null };

export function testEngine(
  t: Tearable,
  options: Pick<EngineOptions, 'directory' | 'database'> & Partial<EngineOptions>,
  open = openDatabase,
): RecordsEngine {
  const engine = new RecordsEngine({ retention: KEEP_ALL, contentDirectory: null, ...options }, open);
  t.teardown(() => engine.close());
  return engine;
}

/** Asks the database itself. */
export async function ask(settings: DatabaseSettings, sql: string): Promise<readonly Record<string, unknown>[]> {
  const database = await openDatabase(settings, { reading: false });
  try {
    return await database.query(sql);
  } finally {
    await database.close();
  }
}

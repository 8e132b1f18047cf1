import type { Database, DatabaseSettings, OpenOptions } from './database.js';

/** Opens the database; the driver of the other kind is not loaded. */
export async function openDatabase(settings: DatabaseSettings, options: OpenOptions): Promise<Database> {
  if (settings.kind === 'sqlite') {
    const { openSqlite } = await import('./sqlite.js');
    return openSqlite(settings.path, options);
  }
  const { openPostgres } = await import('./postgres.js');
  return openPostgres(settings.url, options);
}

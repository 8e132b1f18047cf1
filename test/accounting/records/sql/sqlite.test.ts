import { statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import t from 'tap';
import { requestRow } from '../../../../src/accounting/records/request-row.js';
import { migrate } from '../../../../src/accounting/records/sql/migrate.js';
import { openSqlite } from '../../../../src/accounting/records/sql/sqlite.js';
import { addSource, writeBatch } from '../../../../src/accounting/records/write-batch.js';
import { final, temporaryDirectory } from '../../samples.js';

async function add(path: string, ids: readonly string[]): Promise<{ pages: number; ids: string[] }> {
  const database = await openSqlite(path, { reading: false });
  await migrate(database);
  await addSource(database, 's');
  await writeBatch(database, 's', [{ rows: ids.map((id) => requestRow(final(id), 's')), moves: [] }]);
  const [row] = await database.query('pragma page_size');
  const found = await database.query('select id from requests order by id');
  await database.close();
  return { pages: Number(row?.['page_size']), ids: found.map(({ id }) => String(id)) };
}

t.test('a new file has pages of 8 KiB, an older one keeps its own', async (t) => {
  const directory = temporaryDirectory(t);
  const path = join(directory, 'new.db');
  t.same(await add(path, ['a', 'b']), { pages: 8192, ids: ['a', 'b'] });
  t.equal(statSync(path).mode & 0o777, 0o600);
  const older = join(directory, 'older.db');
  const connection = new DatabaseSync(older);
  connection.exec('pragma page_size = 4096; pragma journal_mode = wal; create table mine (a)');
  connection.close();
  t.same(await add(older, ['a']), { pages: 4096, ids: ['a'] });
  t.same(await add(older, ['a', 'b']), { pages: 4096, ids: ['a', 'b'] });
});

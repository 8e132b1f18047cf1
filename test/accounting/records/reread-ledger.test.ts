import { join } from 'node:path';
import t from 'tap';
import { openOfflineRecords } from '../../../src/accounting/records/offline-records.js';
import { rereadLedger } from '../../../src/accounting/records/reread-ledger.js';
import { openDatabase } from '../../../src/accounting/records/sql/open-database.js';
import { final, temporaryDirectory, testLedger } from '../samples.js';
import { KEEP_ALL } from './databases.js';

t.test('what is missing in the records comes back, nothing comes twice', async (t) => {
  const dataDirectory = temporaryDirectory(t);
  const directory = join(dataDirectory, 'ledger');
  const { ledger } = testLedger(directory);
  for (let number = 0; number < 50; number += 1) ledger.finish(final(`r${number}`));
  await ledger.close();
  const options = {
    directory,
    dataDirectory,
    settings: { kind: 'sqlite', content: false } as const,
    retention: KEEP_ALL,
  };
  t.notOk(await rereadLedger(options), 'no database');
  const database = await openDatabase({ kind: 'sqlite', path: join(dataDirectory, 'records.db') }, { reading: false });
  t.ok(await rereadLedger(options), 'an empty one');
  const requests = async () => {
    const records = await openOfflineRecords(options);
    const rows = await records?.usage({ by: ['key'] });
    await records?.close();
    return rows?.map((row) => row.requests);
  };
  t.same(await requests(), [50]);
  t.ok(await rereadLedger(options));
  t.same(await requests(), [50], 'a second time');
  for (const table of ['requests', 'rollups', 'dimensions']) await database.query(`delete from ${table}`);
  await database.close();
  t.same(await requests(), []);
  t.ok(await rereadLedger(options));
  t.same(await requests(), [50], 'after a loss');
});

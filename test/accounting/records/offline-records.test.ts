import { existsSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { openOfflineRecords } from '../../../src/accounting/records/offline-records.js';
import { recordEntries } from '../../../src/accounting/records/record-entries.js';
import { Secret } from '../../../src/observability/secret.js';
import { final, temporaryDirectory, testLedger } from '../samples.js';
import { ask, KEEP_ALL } from './databases.js';

t.test('a command without a gateway takes over the rest of the ledger first', async (t) => {
  const dataDirectory = temporaryDirectory(t);
  const directory = join(dataDirectory, 'ledger');
  const { ledger } = testLedger(directory);
  t.teardown(() => ledger.close());
  const count = 450;
  for (let number = 0; number < count; number += 1) {
    ledger.finish(final(`r${number}`, { time: new Date(Date.UTC(2026, 10, 1, 0, 0, number)).toISOString() }));
  }
  await ledger.synced();
  const settings = { kind: 'sqlite', content: false } as const;
  const options = { directory, dataDirectory, settings, retention: KEEP_ALL };
  t.equal(await openOfflineRecords(options), null, 'no database, and none is made');
  const path = join(dataDirectory, 'records.db');
  t.notOk(existsSync(path));
  await ask({ kind: 'sqlite', path }, 'select 1 as one');
  const records = await openOfflineRecords(options);
  t.match(await records?.usage({ by: ['key'] }), [{ key: 'web', requests: count }]);
  const seen: string[] = [];
  if (records) {
    const span = { from: Date.UTC(2026, 10, 1, 0, 0, 5), to: null };
    t.same(await recordEntries(records).eachEntry(span, (entry) => seen.push(`${entry.id} ${entry.type}`)), {
      damages: 0,
    });
  }
  t.same([seen.length, new Set(seen).size, seen[0]], [count - 5, count - 5, `r${count - 1} settle`]);
  await records?.close();
  const url = new Secret('postgres://nobody@127.0.0.1:1/none');
  await t.rejects(
    openOfflineRecords({ ...options, settings: { kind: 'postgres', content: false, url } }),
    /ECONNREFUSED/,
  );
  await t.rejects(openOfflineRecords({ ...options, settings: { kind: 'postgres', content: false } }), /needs a url/);
});

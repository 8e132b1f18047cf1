import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import t from 'tap';
import { createRecords, type Records } from '../../../src/accounting/records/create-records.js';
import { RecordsUnavailableError } from '../../../src/accounting/records/record.js';
import type { DatabaseSettings } from '../../../src/accounting/records/sql/database.js';
import { Secret } from '../../../src/observability/secret.js';
import { final, held, hold, temporaryDirectory, testLedger } from '../samples.js';
import { ask, type Databases, KEEP_ALL, KINDS, testDatabases } from './databases.js';

type Test = typeof t;

function open(t: Test, directory: string, database: DatabaseSettings) {
  const problems: string[] = [];
  const settings =
    database.kind === 'sqlite'
      ? { kind: 'sqlite' as const, content: false, path: database.path }
      : { kind: 'postgres' as const, content: false, url: new Secret(database.url) };
  const records = createRecords({
    directory,
    settings,
    retention: KEEP_ALL,
    dataDirectory: directory,
    onProblem: (message) => problems.push(message),
  });
  t.teardown(() => records.close());
  return { records, problems };
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  // The test's own time limit ends the wait.
  while (!(await holds())) await pause(10);
}

/** Finishes requests at a steady pace, as a busy service does. */
async function load(ledger: ReturnType<typeof testLedger>['ledger'], records: Records, name: string): Promise<number> {
  const count = 200;
  for (let number = 0; number < count; number += 1) {
    const id = `${name}${number}`;
    await held(ledger, hold(id));
    ledger.finish(final(id));
    records.poke();
    if (number % 4 === 0) await pause(2);
  }
  return count;
}

async function requestsIn(records: Records): Promise<number> {
  const [sum] = await records.usage({ by: [] }).catch(() => []);
  return sum?.requests ?? 0;
}

t.test('a request that finishes while somebody waits for it does not wait to be collected', async (t) => {
  const directory = temporaryDirectory(t);
  const { ledger } = testLedger(directory);
  const { records } = open(t as Test, directory, { kind: 'sqlite', path: join(directory, 'records.db') });
  let seen = false;
  // A stalled machine may miss the time that a question waits; a collection of entries would at every try.
  for (let number = 0; number < 10 && !seen; number += 1) {
    ledger.finish(final(`before${number}`));
    await ledger.synced();
    // What this writes begins a time in which entries are collected.
    await records.list({ limit: 1, cursor: null });
    const asked = records.get(`late${number}`);
    setTimeout(() => ledger.finish(final(`late${number}`)), 50);
    seen = (await asked) !== null;
  }
  t.ok(seen, 'without a word that something was written');
  await ledger.close();
});

for (const { kind, skip } of KINDS) {
  t.test(`${kind}: a finished request can be asked for at once`, { skip }, async (t) => {
    const databases = await testDatabases(t, kind);
    const directory = temporaryDirectory(t);
    const { ledger } = testLedger(directory);
    const database = await databases.make();
    const { records, problems } = open(t as Test, directory, database);
    ledger.finish(final('first'));
    t.match(await records.get('first'), { id: 'first', status: 200 });
    const waits: number[] = [];
    for (let number = 0; number < 20; number += 1) {
      ledger.finish(final(`r${number}`));
      records.poke();
      const before = performance.now();
      t.equal((await records.get(`r${number}`))?.id, `r${number}`);
      waits.push(performance.now() - before);
    }
    t.comment(`in the records after ${Math.round(Math.max(...waits))} ms at most`);
    for (let number = 0; number < 5; number += 1) {
      ledger.finish(final(`more${number}`));
      await ledger.synced();
      t.equal(await requestsIn(records), 22 + number, 'what was written before the question is in the answer');
    }
    t.equal(await records.get('absent'), null);
    t.equal(await records.content('first'), null);
    await t.rejects(records.list({ limit: 1, cursor: 'made-up' }), RangeError);
    t.equal((await records.list({ limit: 5 })).data.length, 5);
    // Written after the last poke: closing takes it along.
    ledger.finish(final('last'));
    await ledger.close();
    await records.close();
    t.same(await ask(database, `select count(*) as count from requests where id = 'last'`), [{ count: 1n }]);
    await t.rejects(records.list({ limit: 1 }), RecordsUnavailableError);
    t.same(problems, []);
  });
}

t.test('questions are answered while a long ledger is taken over', async (t) => {
  const directory = temporaryDirectory(t);
  const { ledger } = testLedger(directory);
  const count = 30_000;
  for (let number = 0; number < count; number += 1) ledger.finish(final(`r${number}`, { ms: number % 100 }));
  await ledger.close();
  const { records } = open(t as Test, directory, { kind: 'sqlite', path: join(directory, 'records.db') });
  let before = 0;
  await until(async () => {
    before = await requestsIn(records);
    return before > 0;
  });
  t.ok(before < count, `answered after ${before} of them`);
  await until(async () => (await requestsIn(records)) === count);
  await until(() => records.state().behindBytes === 0);
  t.equal(records.state().written, count);
});

t.test('a schema of a newer version is told, and what is asked for is refused', async (t) => {
  const database: DatabaseSettings = { kind: 'sqlite', path: join(temporaryDirectory(t), 'records.db') };
  await ask(database, 'create table schema_version (version integer not null)');
  await ask(database, 'insert into schema_version (version) values (1000)');
  const { records, problems } = open(t as Test, temporaryDirectory(t), database);
  await until(() => records.state().error !== null);
  t.match(records.state().error, /schema 1000/);
  t.match(problems, [/schema 1000/]);
  await t.rejects(records.list({ limit: 1 }), RecordsUnavailableError);
});

t.test('whatever happens to Postgres', { skip: KINDS[1].skip }, async (t) => {
  const databases: Databases = await testDatabases(t, 'postgres');
  const { server } = databases;
  if (server === null) return;

  await t.test('paused: nobody waits for it, and nothing is lost', async (t) => {
    const directory = temporaryDirectory(t);
    const { ledger } = testLedger(directory);
    t.teardown(() => ledger.close());
    const { records, problems } = open(t as Test, directory, await databases.make());
    const before = await load(ledger, records, 'before');
    await until(async () => (await requestsIn(records)) === before);
    server.pause();
    const delay = monitorEventLoopDelay({ resolution: 1 });
    delay.enable();
    const during = await load(ledger, records, 'during');
    delay.disable();
    const calm = monitorEventLoopDelay({ resolution: 1 });
    await until(() => records.state().error !== null);
    t.match(records.state().error, /does not answer/);
    t.ok(records.state().behindBytes > 50_000, 'it says how far behind it is');
    server.resume();
    await until(async () => (await requestsIn(records)) === before + during);
    await until(() => records.state().error === null && records.state().behindBytes === 0);
    t.equal(problems.length, 2, 'told once, and that it is over');
    calm.enable();
    await load(ledger, records, 'after');
    calm.disable();
    t.comment(
      `event loop delay, 99 %: paused ${delay.percentile(99) / 1e6} ms, running ${calm.percentile(99) / 1e6} ms`,
    );
    // A main thread that waits for the database would wait for seconds.
    t.ok(delay.percentile(99) < 250e6);
  });

  await t.test('killed and started again, and then empty: everything comes back from the ledger', async (t) => {
    const directory = temporaryDirectory(t);
    const { ledger } = testLedger(directory);
    t.teardown(() => ledger.close());
    const database = await databases.make();
    const { records } = open(t as Test, directory, database);
    let count = await load(ledger, records, 'a');
    await until(async () => (await requestsIn(records)) === count);
    await server.kill();
    count += await load(ledger, records, 'b');
    await until(() => records.state().error !== null);
    await server.start();
    await until(async () => (await requestsIn(records)) === count);
    await server.kill();
    await server.start();
    await empty(database);
    count += await load(ledger, records, 'c');
    await until(async () => (await requestsIn(records)) === count);
    t.equal((await records.list({ limit: 1_000 })).data.length, count);
  });
});

async function empty(database: DatabaseSettings): Promise<void> {
  if (database.kind !== 'postgres') return;
  const client = new pg.Client({ connectionString: database.url });
  client.on('error', () => undefined);
  await client.connect();
  await client.query('drop schema tollgate cascade');
  await client.end();
}

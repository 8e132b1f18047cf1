import { existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { encodeLine } from '../../../src/accounting/ledger/line.js';
import { currentOwner } from '../../../src/accounting/ledger/owner.js';
import type { RecordsEngine } from '../../../src/accounting/records/engine.js';
import { spanPieces } from '../../../src/accounting/records/span-pieces.js';
import { DAY_MS, HOUR_MS } from '../../../src/accounting/records/write-batch.js';
import { DEAD, final, hold, temporaryDirectory, testLedger } from '../samples.js';
import { ask, KEEP_ALL, KINDS, testDatabases, testEngine } from './databases.js';

const NOW = Date.UTC(2026, 10, 20, 12, 30);

async function expireAll(engine: RecordsEngine): Promise<void> {
  while (await engine.expire(NOW));
}

async function requests(engine: RecordsEngine, from: number | null = null): Promise<number> {
  const [sum] = await engine.usage({ by: [], from });
  return sum?.requests ?? 0;
}

for (const { kind, skip } of KINDS) {
  t.test(`${kind}: rows and sums go when they are old, and do not come back`, { skip }, async (t) => {
    const databases = await testDatabases(t, kind);
    const database = await databases.make();
    const directory = temporaryDirectory(t);
    const { ledger } = testLedger(directory);
    t.teardown(() => ledger.close());
    const engine = testEngine(t, { directory, database });
    // One each half hour for 20 days, each user for four days, in several batches.
    for (let number = 959; number >= 0; number -= 1) {
      const time = new Date(NOW - number * 1_800_000).toISOString();
      ledger.finish(final(`r${number}`, { time, user: `u${Math.floor(number / 200)}`, ms: 0 }));
      if (number % 90 !== 0) continue;
      await ledger.synced();
      await engine.catchUp({ livingOnly: false });
    }
    await expireAll(engine);
    t.equal(await requests(engine), 960, 'nothing without retention');
    engine.retention = { ...KEEP_ALL, recordsMs: 2 * DAY_MS };
    await expireAll(engine);
    const { data } = await engine.list({ limit: 1_000 });
    t.equal(data.length, 97);
    t.equal(await requests(engine), 960, 'sums stay');
    t.equal(await requests(engine, NOW - DAY_MS), 49, 'exact where requests are kept');
    t.equal(await requests(engine, NOW - 5 * DAY_MS), 242, 'to the hour before that');

    // Read again from the beginning, as after a repair: what was deleted counts once still.
    await ask(database, 'delete from positions');
    await engine.release();
    await engine.catchUp({ livingOnly: false });
    t.equal(await requests(engine), 960);
    t.equal((await engine.list({ limit: 1_000 })).data.length, 97);

    engine.retention = { ...KEEP_ALL, recordsMs: 2 * DAY_MS, rollupsMs: 10 * DAY_MS };
    await expireAll(engine);
    const users = await engine.usage({ by: ['user'] });
    t.equal(users.length, 3);
    const [sizes] = await ask(
      database,
      `select (select count(*) from dimensions) as dimensions, (select min(start) from rollups where step = ${HOUR_MS}) as first,
        (select count(*) from rollups r left join dimensions d on d.dimension = r.dimension where d.dimension is null) as orphans`,
    );
    t.ok(Number(sizes?.['first']) >= NOW - 10 * DAY_MS - HOUR_MS);
    t.equal(sizes?.['orphans'], 0n);
    t.equal(sizes?.['dimensions'], 3n);
  });
}

t.test('segments of the ledger go only when nobody can need them', async (t) => {
  const databases = await testDatabases(t, 'sqlite');
  const directory = temporaryDirectory(t);
  const old = new Date(NOW - 40 * DAY_MS);
  const boot = (day: number, options: { owner?: object; settled?: boolean; text?: string; changed?: Date } = {}) => {
    const name = `202610${String(day).padStart(2, '0')}T000000000Z-0`;
    mkdirSync(join(directory, name));
    writeFileSync(join(directory, name, 'owner.json'), JSON.stringify(options.owner ?? DEAD));
    if (options.settled ?? true) writeFileSync(join(directory, name, 'settled'), '');
    const segment = join(directory, name, '00000001.ledger');
    writeFileSync(segment, options.text ?? encodeLine(final(`d${day}`)));
    utimesSync(segment, options.changed ?? old, options.changed ?? old);
    return name;
  };
  const gone = boot(1);
  const torn = boot(2, { text: `${encodeLine(final('d2'))}0123` });
  const damaged = boot(3, { text: `garbage\n${encodeLine(final('d3'))}` });
  const young = boot(4, { changed: new Date(NOW - DAY_MS) });
  const living = boot(5, { owner: currentOwner() });
  const open = boot(6, { settled: false, text: encodeLine(hold('d6')) });
  const retention = { ...KEEP_ALL, ledgerMs: 30 * DAY_MS };
  const engine = testEngine(t, { directory, database: await databases.make(), retention });
  const boots = () => readdirSync(directory).filter((name) => name.startsWith('2026'));
  await engine.catchUp({ livingOnly: false });
  await expireAll(engine);
  t.equal(boots().length, 6, 'nothing while a dead process has open holds');
  writeFileSync(join(directory, open, 'settled'), '');
  utimesSync(join(directory, open, '00000001.ledger'), new Date(NOW), new Date(NOW));
  const late = boot(7);
  await expireAll(engine);
  t.same(boots(), [damaged, young, living, open, late], 'not what has not been read yet');
  t.notOk(existsSync(join(directory, gone)) || existsSync(join(directory, torn)));
  await engine.catchUp({ livingOnly: false });
  await expireAll(engine);
  t.same(boots(), [damaged, young, living, open]);
  t.equal(await requests(engine), 6, 'the records have them all');
});

t.test('pieces cover a span exactly, in whole days and hours where there are any', async (t) => {
  const moment = fc.integer({ min: 0, max: 9 * DAY_MS });
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(moment, moment, fc.boolean(), (from, to, whole) => {
        const [start, end] = whole ? [from - (from % HOUR_MS), to - (to % HOUR_MS)] : [from, to];
        const pieces = spanPieces(start, end, 0);
        let at = start;
        for (const piece of pieces) {
          if (piece.from !== at || piece.to <= piece.from) throw new Error('not one after another');
          if (piece.step === 'requests' && (whole || piece.to - piece.from >= HOUR_MS))
            throw new Error('too many requests');
          if (piece.step !== 'requests' && (piece.from % piece.step !== 0 || piece.to % piece.step !== 0))
            throw new Error('cut');
          if (piece.step === HOUR_MS && piece.to - piece.from >= DAY_MS * 2) throw new Error('too many hours');
          at = piece.to;
        }
        return at === end || (pieces.length === 0 && end <= start);
      }),
    ),
  );
  t.same(spanPieces(HOUR_MS + 5, HOUR_MS + 10, 2 * HOUR_MS), [{ step: HOUR_MS, from: HOUR_MS, to: 2 * HOUR_MS }]);
  t.same(
    spanPieces(HOUR_MS + 5, 3 * HOUR_MS + 5, 2 * HOUR_MS).map(({ from, to }) => [from, to]),
    [
      [HOUR_MS, 3 * HOUR_MS],
      [3 * HOUR_MS, 3 * HOUR_MS + 5],
    ],
  );
});

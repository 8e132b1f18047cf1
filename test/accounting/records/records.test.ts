import t from 'tap';
import type { FinalEntry } from '../../../src/accounting/ledger/entry.js';
import type { RecordsEngine } from '../../../src/accounting/records/engine.js';
import type { RecordQuery } from '../../../src/accounting/records/record.js';
import { SchemaTooNewError } from '../../../src/accounting/records/sql/migrate.js';
import { UsageReport } from '../../../src/accounting/records/usage-report.js';
import { final, held, hold, temporaryDirectory, testLedger } from '../samples.js';
import { ask, type Databases, KINDS, testDatabases, testEngine } from './databases.js';

// The same cases on every database.

const START = Date.UTC(2026, 10, 1);
const at = (seconds: number) => new Date(START + seconds * 1_000).toISOString();
type Test = typeof t;

interface Filled {
  readonly engine: RecordsEngine;
  /** Writes more and takes it over. */
  add(...entries: readonly FinalEntry[]): Promise<void>;
  readonly directory: string;
}

async function filled(t: Test, databases: Databases, entries: readonly FinalEntry[]): Promise<Filled> {
  const directory = temporaryDirectory(t);
  const { ledger } = testLedger(directory);
  t.teardown(() => ledger.close());
  const engine = testEngine(t, { directory, database: await databases.make() });
  const add = async (...more: readonly FinalEntry[]): Promise<void> => {
    for (const entry of more) ledger.finish(entry);
    await ledger.synced();
    await engine.catchUp({ livingOnly: false });
  };
  await add(...entries);
  return { engine, add, directory };
}

async function idsOf(engine: RecordsEngine, query: Partial<RecordQuery>): Promise<string> {
  const { data } = await engine.list({ limit: 100, ...query });
  return data.map(({ id }) => id).join();
}

const CASES: Readonly<Record<string, (t: Test, databases: Databases) => Promise<void>>> = {
  'newest first, filtered, by pages that stay put while requests come': async (t, databases) => {
    const numbers = Array.from({ length: 10 }, (_, number) => number);
    const entries = numbers.map((number) => {
      const even = number % 2 === 0;
      const code = even ? null : 'rate_limit_exceeded';
      return final(`r${number}`, { time: at(number), key: even ? 'web' : 'ci', status: even ? 200 : 429, code });
    });
    const { engine, add } = await filled(t, databases, entries);
    const first = await engine.list({ limit: 4 });
    t.equal(first.data.map(({ id }) => id).join(), 'r9,r8,r7,r6');
    t.notOk('type' in (first.data[0] ?? {}));
    await add(final('r10', { time: at(10), user: 'ann' }), final('slow', { time: at(1), ms: 8_500 }));
    const second = await engine.list({ limit: 4, cursor: first.next });
    t.equal(second.data.map(({ id }) => id).join(), 'r5,r4,r3,r2');
    const third = await engine.list({ limit: 4, cursor: second.next });
    t.same([third.data.length, third.next], [2, null]);
    t.equal((await idsOf(engine, { limit: 3 })).toString(), 'r10,slow,r9', 'in the order of finishing');
    for (const cursor of ['made-up', 'zz.', '.', 'r5', `${first.next}=`, '0']) {
      await t.rejects(engine.list({ limit: 4, cursor }), RangeError, cursor);
    }
    t.equal(await idsOf(engine, { key: 'ci', from: START + 3_000, to: START + 7_000 }), 'r5,r3');
    t.equal(await idsOf(engine, { from: START + 1_000, to: START + 2_000 }), 'slow,r1', 'by arrival');
    t.equal(await idsOf(engine, { status: 429, limit: 1 }), 'r9');
    t.equal(await idsOf(engine, { code: 'rate_limit_exceeded', limit: 2 }), 'r9,r7');
    t.equal(await idsOf(engine, { user: 'ann' }), 'r10');
    t.equal(await idsOf(engine, { target: 'openai/gpt-4' }), '');
    t.equal(await idsOf(engine, { labels: { team: 'nobody' } }), '');
    t.equal(await idsOf(engine, { labels: { absent: 'x' } }), '');
    const all = { labels: { team: 'search' }, model: 'smart', code: null, user: '', target: 'openai/gpt-5', key: 'ci' };
    t.equal(await idsOf(engine, all), 'r9,r7,r5,r3,r1');
    t.equal((await engine.get('r3'))?.status, 429);
    t.equal(await engine.get('nope'), null);
  },

  'an entry comes back as it was written, whatever is in it': async (t, databases) => {
    const strange = 'a\0b \u{1f600} \ud800 "q\' ?$1 \\u0000';
    const labels = Object.fromEntries([
      ['team', strange],
      ['a.b"c', 'dotted'],
      ['__proto__', 'p'],
      ['', 'empty'],
      ['0', 'zero'],
    ]);
    const entry = final('odd', {
      user: strange,
      key: 'k'.repeat(5_000),
      model: `${'m'.repeat(9_000)}\ud83d`,
      route: strange,
      labels,
      target: `openai/${'x'.repeat(4_000)}`,
      cost_nano_usd: Number.MAX_SAFE_INTEGER,
      stated_cost_nano_usd: 5,
      service_tier: 'flex',
      limits: ['a', 'b'],
      attempts: [{ target: 'a/b', status: null, outcome: 'error', reason: 'reset', ms: 3, first_token_ms: null }],
      usage: { input: 1e15, output: 1 },
      cost_parts: { input: 7 },
    });
    const { engine, add } = await filled(t, databases, [entry]);
    await add(final('other', { key: `${'k'.repeat(4_999)}l` }), final('odd', { status: 500 }));
    const { type: _type, ...record } = entry;
    const plain: unknown = JSON.parse(JSON.stringify(record));
    t.same(await engine.get('odd'), plain);
    t.equal(await idsOf(engine, { key: entry.key }), 'odd', 'values that are too long stay different');
    t.equal(await idsOf(engine, { user: strange, model: entry.model, target: entry.target, labels }), 'odd');
    for (const [name, value] of [
      ['a.b"c', 'dotted'],
      ['0', 'zero'],
      ['__proto__', 'p'],
    ] as const) {
      const rows = await engine.usage({ by: [name] });
      t.equal(
        rows.find((row) => Object.entries(row).some((pair) => pair[0] === name && pair[1] === value))?.requests,
        1,
        name,
      );
    }
    const [sum] = await engine.usage({ by: [] });
    t.match(sum, { requests: 2, errors: 0, usage: { input: 1e15 + 100, output: 21 } });
    t.equal(sum?.cost_usd, '9007199.255065991', 'exact beyond what a number can be');
  },

  'usage is what a report over the ledger says, for any span and names': async (t, databases) => {
    const entries: FinalEntry[] = [];
    for (let number = 0; number < 400; number += 1) {
      // Three days, many at the edges of hours.
      const time =
        START + ((number * 1_900_000) % (3 * 86_400_000)) - (number % 3 === 0 ? (number * 1_900_000) % 3_600_000 : 0);
      const kind = number % 10;
      entries.push(
        final(`u${number}`, {
          time: new Date(time).toISOString(),
          ms: kind === 5 ? 7_000_000 : 20,
          labels: kind === 3 ? {} : { team: `t${number % 3}`, customer: `c${number % 7}` },
          user: `user${number % 5}`,
          target: kind === 1 ? null : `${kind > 5 ? 'openai' : 'local'}/m${number % 2}`,
          status: kind === 1 ? 429 : 200,
          code: kind === 1 ? 'rate_limit_exceeded' : null,
          type: kind === 1 ? 'refusal' : kind === 2 ? 'estimate' : 'settle',
          usage_source: kind === 1 ? null : kind === 2 ? 'mixed' : 'provider',
          usage: kind === 1 ? {} : { input: number, output: 1, reasoning: kind },
          cost_nano_usd: kind === 1 ? 0 : kind < 5 && number % 2 === 0 ? null : number * 1_000,
        }),
      );
    }
    const { engine } = await filled(t, databases, entries);
    const hour = 3_600_000;
    const spans: [number | null, number | null][] = [
      [null, null],
      [START + 1, null],
      [null, START + 30 * hour],
      [START + 90 * 60_000, START + 100 * 60_000],
      [START + 90 * 60_000, START + 130 * 60_000],
      [START + 2 * hour, START + 3 * hour],
      [START + 2 * hour + 1, START + 70 * hour - 1],
      [START + 24 * hour, START + 48 * hour],
      [START + 5 * hour, START + 26 * hour],
      [START + 5 * hour, START + 5 * hour],
      [START + 9 * hour, START + 5 * hour],
      [START - 1_000 * hour, START + 9_000 * hour],
    ];
    const names = [
      ['team', 'model'],
      [],
      ['user', 'status', 'code'],
      ['provider', 'customer', 'absent'],
      ['key', 'target', 'endpoint'],
    ];
    for (const [from, to] of spans) {
      for (const by of names) {
        const report = new UsageReport(by);
        for (const entry of entries) {
          const time = Date.parse(entry.time);
          if ((from === null || time >= from) && (to === null || time < to)) report.add(entry);
        }
        const rows = await engine.usage({ by, from, to });
        if (JSON.stringify(sortKeys(rows)) !== JSON.stringify(sortKeys(report.rows())))
          t.same(rows, report.rows(), `${by} ${from} ${to}`);
      }
    }
    const [days] = await engine.usage({ by: [] });
    t.equal(days?.requests, 400);
  },

  'a page ends early rather than late, and the cursor goes on from there': async (t, databases) => {
    const entries = Array.from({ length: 6_500 }, (_, number) =>
      final(`p${number}`, { time: at(number), target: number % 3_000 === 7 ? 'rare/one' : 'openai/gpt-5' }),
    );
    const { engine } = await filled(t, databases, entries);
    t.equal(await idsOf(engine, { target: 'rare/one' }), 'p6007,p3007,p7');
    const first = await engine.list({ limit: 1, target: 'rare/one' });
    const second = await engine.list({ limit: 5, target: 'rare/one', cursor: first.next });
    t.same([first.data[0]?.id, second.data.map(({ id }) => id)], ['p6007', ['p3007', 'p7']]);
    const seen: string[] = [];
    for (let cursor: string | null = null; ; ) {
      const page: Awaited<ReturnType<typeof engine.list>> = await engine.list({ limit: 1_000, cursor });
      seen.push(...page.data.map(({ id }) => id));
      cursor = page.next;
      if (cursor === null) break;
    }
    t.same([seen.length, new Set(seen).size, seen.at(-1)], [6_500, 6_500, 'p0']);
  },

  'a schema of a newer version is refused and left alone': async (t, databases) => {
    const database = await databases.make();
    const directory = temporaryDirectory(t);
    await testEngine(t, { directory, database }).catchUp({ livingOnly: false });
    await ask(database, 'insert into schema_version (version) values (99)');
    await t.rejects(testEngine(t, { directory, database }).catchUp({ livingOnly: false }), SchemaTooNewError);
    t.same(await ask(database, 'select count(*) as count from requests'), [{ count: 0n }]);
  },

  'a database that lost its rows is noticed at the next entry': async (t, databases) => {
    const database = await databases.make();
    const directory = temporaryDirectory(t);
    const { ledger } = testLedger(directory);
    t.teardown(() => ledger.close());
    const engine = testEngine(t, { directory, database });
    const lost = [
      ['requests', 'rollups', 'positions'],
      ['requests', 'rollups', 'dimensions', 'positions', 'sources', 'facts'],
    ];
    for (const [round, tables] of lost.entries()) {
      for (let number = 0; number < 20; number += 1) ledger.finish(final(`${round}-${number}`));
      await ledger.synced();
      await engine.catchUp({ livingOnly: false });
      for (const table of tables) await ask(database, `delete from ${table}`);
      ledger.finish(final(`${round}-last`));
      await ledger.synced();
      await engine.catchUp({ livingOnly: true });
      t.match(await engine.usage({ by: [] }), [{ requests: 21 * (round + 1) }]);
    }
  },

  'several ledgers fill one database; one that was emptied is filled again': async (t, databases) => {
    const database = await databases.make();
    const engines: RecordsEngine[] = [];
    for (const name of ['a', 'b', 'c']) {
      const directory = temporaryDirectory(t);
      const { ledger } = testLedger(directory);
      for (let number = 0; number < 50; number += 1) {
        await held(ledger, hold(`${name}${number}`));
        ledger.finish(final(`${name}${number}`, { time: at(number) }));
      }
      await ledger.close();
      // Two processes of each.
      for (const _process of [1, 2]) engines.push(testEngine(t, { directory, database }));
    }
    // In one thread, one SQLite connection that waits for another would wait for itself.
    const all = async (): Promise<void> => {
      if (databases.kind === 'postgres') await Promise.all(engines.map((engine) => caughtUp(engine)));
      else for (const engine of engines) await caughtUp(engine);
    };
    await all();
    const expected = [{ requests: 150, usage: { input: 15_000, output: 3_000 } }];
    t.match(await engines[0]?.usage({ by: [] }), expected);
    for (const table of ['requests', 'rollups', 'dimensions', 'positions', 'sources'])
      await ask(database, `delete from ${table}`);
    for (const engine of engines) await engine.release();
    await all();
    t.match(await engines[1]?.usage({ by: [] }), expected, 'rebuilt');
    t.same(await ask(database, 'select count(*) as count from requests'), [{ count: 150n }]);
  },
};

/** As the follower does it: what fails is tried again. */
async function caughtUp(engine: RecordsEngine): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await engine.catchUp({ livingOnly: false });
    } catch (error) {
      if (attempt === 20) throw error;
      await engine.release();
    }
  }
}

function sortKeys(rows: readonly object[]): unknown {
  return rows.map((row) => Object.entries(row).sort(([left], [right]) => (left < right ? -1 : 1)));
}

for (const { kind, skip } of KINDS) {
  t.test(kind, { skip }, async (t) => {
    const databases = await testDatabases(t, kind);
    for (const [name, run] of Object.entries(CASES)) await t.test(name, (t) => run(t as Test, databases));
  });
}

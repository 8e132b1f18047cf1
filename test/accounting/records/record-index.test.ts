import t from 'tap';
import { RecordIndex } from '../../../src/accounting/records/record-index.js';
import { UsageReport } from '../../../src/accounting/records/usage-report.js';
import { final, held, hold, temporaryDirectory, testLedger } from '../samples.js';

const at = (second: number) => new Date(Date.UTC(2026, 10, 1, 0, 0, second)).toISOString();

t.test('newest first, filtered, by pages that stay put while requests come', async (t) => {
  const index = new RecordIndex({ directory: '/nowhere' });
  for (let number = 0; number < 10; number += 1) {
    const even = number % 2 === 0;
    index.add(final(`r${number}`, { time: at(number), key: even ? 'web' : 'ci', status: even ? 200 : 429 }));
  }
  const first = index.list({ limit: 4 });
  t.same(
    first.data.map(({ id }) => id),
    ['r9', 'r8', 'r7', 'r6'],
  );
  t.notOk('type' in (first.data[0] ?? {}));
  index.add(final('r10', { time: at(10) }));
  const second = index.list({ limit: 4, cursor: first.next });
  t.same(
    second.data.map(({ id }) => id),
    ['r5', 'r4', 'r3', 'r2'],
  );
  const third = index.list({ limit: 4, cursor: second.next });
  t.same([third.data.length, third.next], [2, null]);
  t.throws(() => index.list({ limit: 4, cursor: 'made-up' }), RangeError);
  const ids = (filter: object) =>
    index
      .list({ limit: 100, ...filter })
      .data.map(({ id }) => id)
      .join();
  t.equal(ids({ key: 'ci', from: Date.parse(at(3)), to: Date.parse(at(7)) }), 'r5,r3');
  t.equal(ids({ status: 429, limit: 1 }), 'r9');
  t.equal(ids({ labels: { team: 'nobody' } }), '');
  t.equal(
    ids({ labels: { team: 'search' }, model: 'smart', code: null, user: '', target: 'openai/gpt-5', key: 'ci' }),
    'r9,r7,r5,r3,r1',
  );
  t.equal(index.get('r3')?.status, 429);
  t.equal(index.get('nope'), null);
});

t.test('bounded; a second entry of a request is ignored', async (t) => {
  const index = new RecordIndex({ directory: '/nowhere', capacity: 5 });
  for (let number = 0; number < 40; number += 1) {
    index.add(final(`r${number}`, { time: at(number) }));
    index.add(final(`r${number}`, { status: 500 }));
  }
  t.equal(index.size, 5);
  const page = index.list({ limit: 2 });
  t.same(
    page.data.map(({ id }) => id),
    ['r39', 'r38'],
  );
  t.same(
    index.list({ limit: 9, cursor: page.next }).data.map(({ id }) => id),
    ['r37', 'r36', 'r35'],
  );
});

t.test('filled from the newest segments; sums over more come from the ledger', async (t) => {
  const directory = temporaryDirectory(t);
  const { ledger } = testLedger(directory, { segmentBytes: 1_500 });
  for (let number = 0; number < 30; number += 1) {
    await held(ledger, hold(`r${number}`));
    ledger.finish(final(`r${number}`, { time: at(number) }));
  }
  await ledger.close();
  const small = new RecordIndex({ directory, capacity: 10 });
  await small.fill();
  t.equal(small.size, 10);
  t.equal(small.list({ limit: 1 }).data[0]?.id, 'r29');
  t.match(await small.usage({ by: [] }), [{ requests: 30, usage: { input: 3_000, output: 600 } }]);
  t.match(await small.usage({ by: [], from: Date.parse(at(25)), to: Date.parse(at(28)) }), [{ requests: 3 }]);
  const large = new RecordIndex({ directory });
  await large.fill();
  t.equal(large.size, 30);
  t.match(await large.usage({ by: ['key'] }), [{ key: 'web', requests: 30, cost_nano_usd: 30 * 325_000 }]);
});

t.test('sums in the shape of the contract', async (t) => {
  const report = new UsageReport(['team', 'provider']);
  report.add(final('a'));
  report.add(final('b', { usage_source: 'mixed', type: 'estimate', usage: { input: 1, output: 1, reasoning: 5 } }));
  report.add(final('c', { type: 'void', status: 502, usage: {}, usage_source: null, cost_nano_usd: 0 }));
  report.add(final('d', { labels: {}, target: null, type: 'refusal', status: 429, usage: {}, cost_nano_usd: 0 }));
  report.add(final('e', { labels: { team: 'x' }, target: 'local/m', cost_nano_usd: null }));
  t.same(report.rows(), [
    {
      team: 'search',
      provider: 'openai',
      requests: 3,
      errors: 1,
      usage: { input: 101, output: 21, reasoning: 5 },
      cost_nano_usd: 650_000,
      estimated_requests: 1,
    },
    {
      team: '',
      provider: '',
      requests: 1,
      errors: 1,
      usage: { input: 0, output: 0 },
      cost_nano_usd: 0,
      estimated_requests: 0,
    },
    {
      team: 'x',
      provider: 'local',
      requests: 1,
      errors: 0,
      usage: { input: 100, output: 20 },
      cost_nano_usd: null,
      estimated_requests: 0,
    },
  ]);
  const exact = new UsageReport([]);
  for (let number = 0; number < 1_000; number += 1) exact.add(final(`${number}`, { cost_nano_usd: 1_000_000_000_001 }));
  t.equal(exact.rows()[0]?.cost_nano_usd, 1_000_000_000_001_000);
});

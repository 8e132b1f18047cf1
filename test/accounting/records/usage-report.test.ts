import t from 'tap';
import { UsageReport } from '../../../src/accounting/records/usage-report.js';
import { final } from '../samples.js';

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
      cost_usd: '0.00065',
      unpriced_requests: 0,
      estimated_requests: 1,
    },
    {
      team: '',
      provider: '',
      requests: 1,
      errors: 1,
      usage: { input: 0, output: 0 },
      cost_nano_usd: 0,
      cost_usd: '0.00',
      unpriced_requests: 0,
      estimated_requests: 0,
    },
    {
      team: 'x',
      provider: 'local',
      requests: 1,
      errors: 0,
      usage: { input: 100, output: 20 },
      cost_nano_usd: null,
      cost_usd: null,
      unpriced_requests: 1,
      estimated_requests: 0,
    },
  ]);
  const sums = { requests: 2, errors: 1, estimated: 0, priced: 1, unpriced: 1, cost: 7n };
  report.addTotals(['x', 'local'], { ...sums, tokens: new Map([['input' as const, 5n]]) });
  report.addTotals(['y', 'local'], { ...sums, tokens: new Map() });
  t.match(
    report.rows().filter(({ provider }) => provider === 'local'),
    [
      { team: 'x', requests: 3, errors: 1, usage: { input: 105, output: 20 }, cost_nano_usd: 7, unpriced_requests: 2 },
      { team: 'y', requests: 2, usage: { input: 0, output: 0 } },
    ],
  );
  const exact = new UsageReport([]);
  for (let number = 0; number < 1_000; number += 1) exact.add(final(`${number}`, { cost_nano_usd: 1_000_000_000_001 }));
  t.equal(exact.rows()[0]?.cost_nano_usd, 1_000_000_000_001_000);
});

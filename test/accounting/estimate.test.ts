import t from 'tap';
import { estimateUsage } from '../../src/accounting/estimate.js';
import { emptyUsage } from '../../src/dialects/usage.js';

const cut = { stated: null, statedAtBytes: 0, contentBytes: 0, contentTokens: 0, inputTokens: 100 };
const stated = (input: number, output: number, reasoning = 0) => ({ ...emptyUsage(), input, output, reasoning });

t.test('a cut answer', async (t) => {
  const table = [
    { name: 'nothing came', given: {}, usage: { input: 100, output: 0 }, source: 'estimated' },
    {
      name: 'all counted',
      given: { contentBytes: 9, contentTokens: 3 },
      usage: { input: 100, output: 3 },
      source: 'estimated',
    },
    {
      name: 'running numbers stand',
      given: { stated: stated(9, 10), statedAtBytes: 60, contentBytes: 60, contentTokens: 15 },
      usage: { input: 9, output: 10 },
      source: 'provider',
    },
    {
      name: 'the tail behind them is counted',
      given: { stated: stated(9, 10), statedAtBytes: 60, contentBytes: 90, contentTokens: 15 },
      usage: { input: 9, output: 15 },
      source: 'mixed',
    },
    {
      name: 'a placeholder is replaced',
      given: { stated: stated(9, 4), contentBytes: 400, contentTokens: 100 },
      usage: { input: 9, output: 100 },
      source: 'mixed',
    },
    {
      name: 'hidden reasoning that was stated first stays',
      given: { stated: stated(9, 0, 500), contentBytes: 40, contentTokens: 10 },
      usage: { input: 9, output: 10, reasoning: 500 },
      source: 'mixed',
    },
    {
      name: 'input that was not stated is counted',
      given: { stated: stated(0, 5), statedAtBytes: 20, contentBytes: 20, contentTokens: 5 },
      usage: { input: 100, output: 5 },
      source: 'mixed',
    },
    {
      name: 'zeros before the end are running numbers too',
      given: { stated: stated(0, 0), statedAtBytes: 4, contentBytes: 8, contentTokens: 2 },
      usage: { input: 100, output: 1 },
      source: 'mixed',
    },
  ];
  for (const { name, given, usage, source } of table) {
    t.match(estimateUsage({ ...cut, ...given }), { usage, source }, name);
  }
});

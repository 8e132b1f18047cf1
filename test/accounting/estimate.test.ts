import t from 'tap';
import { estimateUsage } from '../../src/accounting/estimate.js';
import { emptyUsage } from '../../src/dialects/usage.js';
import { target } from './samples.js';

const cut = { stated: null, contentBytes: 0, inputTokenBound: 1_000, inputBytes: 400, target: target('a/b') };
const stated = (input: number, output: number) => ({ ...emptyUsage(), input, output });

t.test('a cut answer', async (t) => {
  const table = [
    { name: 'nothing came', given: {}, usage: { input: 100, output: 0 }, source: 'estimated' },
    {
      name: 'one byte is one token',
      given: { contentBytes: 1 },
      usage: { input: 100, output: 1 },
      source: 'estimated',
    },
    { name: 'the bound holds', given: { inputTokenBound: 7 }, usage: { input: 7, output: 0 }, source: 'estimated' },
    {
      name: 'running numbers stand',
      given: { stated: stated(9, 10), contentBytes: 60 },
      usage: { input: 9, output: 10 },
      source: 'provider',
    },
    {
      name: 'a placeholder is completed',
      given: { stated: stated(9, 1), contentBytes: 400 },
      usage: { input: 9, output: 100 },
      source: 'mixed',
    },
    {
      name: 'input that was not stated is counted',
      given: { stated: stated(0, 5), contentBytes: 20 },
      usage: { input: 100, output: 5 },
      source: 'mixed',
    },
  ];
  for (const { name, given, usage, source } of table) {
    const result = estimateUsage({ ...cut, ...given });
    t.match(result, { usage, source }, name);
  }
});

import t from 'tap';
import { withTokenUnderWay } from '../../../src/accounting/estimates/under-way.js';
import { emptyUsage } from '../../../src/dialects/usage.js';

t.test('a cut stream, and the token that was under way', async (t) => {
  const found = { usage: { ...emptyUsage(), input: 7, output: 3 }, source: 'estimated' } as const;
  const between = { contentEvents: 3, terminal: false };
  t.match(withTokenUnderWay(found, between), { usage: { input: 7, output: 4 }, source: 'estimated' });
  t.match(withTokenUnderWay({ ...found, source: 'provider' }, between), { usage: { output: 4 }, source: 'mixed' });
  t.equal(withTokenUnderWay(found, { ...between, terminal: true }), found, 'all was said');
  t.equal(withTokenUnderWay(found, { contentEvents: 0, terminal: false }), found, 'nothing was said');
  t.equal(withTokenUnderWay(found, null), found, 'nobody answered');
});

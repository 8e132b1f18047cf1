import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { RecentIds } from '../../../src/accounting/ledger-counters/recent-ids.js';

t.test('the last ones are known, those before twice as many are not', async () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 40 }), fc.array(fc.nat(150), { maxLength: 400 }), (most, numbers) => {
      const recent = new RecentIds(most);
      const added: number[] = [];
      for (const number of numbers) {
        const id = `r${number}`;
        const known = recent.has(id);
        assert.equal(recent.add(id), !known);
        assert.ok(recent.has(id));
        if (added.slice(-most).includes(number)) assert.ok(known);
        if (!added.slice(-2 * most).includes(number)) assert.ok(!known);
        if (!known) added.push(number);
      }
    }),
  );
});

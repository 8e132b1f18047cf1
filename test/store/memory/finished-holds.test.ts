import fc from 'fast-check';
import t from 'tap';
import { countersOf, FinishedHolds } from '../../../src/store/memory/finished-holds.js';
import { FixedCounter } from '../../../src/store/memory/fixed-counter.js';

const counters = ['a', 'b', 'c'].map(
  (key) => new FixedCounter(key, 'requests', { kind: 'duration', ms: 1000, sliding: false }),
);

t.test('a queue that is also found by id, beyond the places that are cut off', async () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 6000 }), { minLength: 1, maxLength: 4 }), (bursts) => {
      const holds = new FinishedHolds();
      const model: { id: string; until: number }[] = [];
      let number = 0;
      for (const burst of bursts) {
        for (let at = 0; at < burst; at += 1) {
          const one = { id: `r${number}`, until: number };
          number += 1;
          holds.add(one.id, counters, one.until);
          model.push(one);
        }
        for (const { id, until } of model.splice(0, Math.floor((burst * 3) / 4))) {
          if (holds.next !== until || holds.countersOf(id) !== counters) return false;
          if (holds.take() !== counters || holds.countersOf(id) !== undefined) return false;
        }
        const all = Array.from(holds.all(), ({ id, until }) => ({ id, until }));
        if (JSON.stringify(all) !== JSON.stringify(model)) return false;
      }
      return holds.next === (model[0]?.until ?? Number.POSITIVE_INFINITY);
    }),
    { numRuns: 20 },
  );
});

t.test('holds on the same counters share one list, others do not', async () => {
  const items = (...at: number[]) => at.flatMap((index) => counters[index] ?? []).map((counter) => ({ counter }));
  const first = countersOf(items(0, 1));
  t.equal(countersOf(items(0, 1)), first);
  t.strictSame(
    countersOf(items(0, 2)),
    items(0, 2).map(({ counter }) => counter),
  );
  t.strictSame(
    countersOf(items(0)),
    items(0).map(({ counter }) => counter),
  );
  t.strictSame(countersOf(items(0, 1)), first);
  t.strictSame(countersOf([]), []);
});

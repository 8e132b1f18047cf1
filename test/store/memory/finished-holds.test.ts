import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import fc from 'fast-check';
import t from 'tap';
import { countersOf, FinishedHolds } from '../../../src/store/memory/finished-holds.js';
import { FixedCounter } from '../../../src/store/memory/fixed-counter.js';

const counters = ['a', 'b', 'c'].map(
  (key) => new FixedCounter(key, 'requests', { kind: 'duration', ms: 1000, sliding: false }),
);

/** Ids of Envoy's, and others that are nearly the same text. */
const NAMES: readonly ((number: number) => string)[] = [
  (number) => `00000000-0000-0000-0000-${String(number).padStart(12, '0')}`,
  (number) => `${hash('md5', `${number}`).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')}`,
  (number) => `00000000-0000-0000-0000-${String(number).padStart(12, '0')}`.replace('-0000-', '-0000_'),
  (number) => `00000000-0000-0000-000A-${String(number).padStart(12, '0')}`,
  (number) => `r${number}`,
  (number) => `ä€😀-${number}`,
];

t.test('a queue that is also found by id', async () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 4000 }), { minLength: 1, maxLength: 4 }), (bursts) => {
      const holds = new FinishedHolds();
      const model: { id: string; until: number }[] = [];
      let number = 0;
      for (const burst of bursts) {
        for (let at = 0; at < burst; at += 1) {
          const id = NAMES[number % NAMES.length]?.(Math.floor(number / NAMES.length)) ?? '';
          const one = { id, until: number };
          number += 1;
          holds.add(one.id, counters, one.until);
          model.push(one);
        }
        for (const { id, until } of model.splice(0, Math.floor((burst * 3) / 4))) {
          assert.equal(holds.next, until);
          assert.equal(holds.countersOf(id), counters);
          assert.equal(holds.take(), counters);
          assert.equal(holds.countersOf(id), undefined);
        }
        for (const { id } of model) assert.equal(holds.countersOf(id), counters);
        const all = Array.from(holds.all(), ({ id, until }) => ({ id, until }));
        assert.deepEqual(all, model);
      }
      assert.equal(holds.next, model[0]?.until ?? Number.POSITIVE_INFINITY);
    }),
    { numRuns: 20 },
  );
});

t.test('as a list of texts', async () => {
  const id = fc.oneof(
    fc.uuid(),
    fc.uuid().map((text) => text.toUpperCase()),
    fc.string({ maxLength: 3 }),
    fc.string(),
  );
  fc.assert(
    fc.property(fc.uniqueArray(id, { maxLength: 50 }), fc.array(id), (ids, others) => {
      const holds = new FinishedHolds();
      for (const [at, one] of ids.entries()) holds.add(one, counters, at);
      assert.deepEqual(
        Array.from(holds.all(), (hold) => hold.id),
        ids,
      );
      for (const other of others) assert.equal(holds.countersOf(other) !== undefined, ids.includes(other));
    }),
  );
});

t.test('ids whose bits say the same', async (t) => {
  const holds = new FinishedHolds();
  // Its length and sums are the words of the UUID.
  const uuid = '00000003-0000-0061-0000-006200000063';
  holds.add('abc', counters, 1);
  t.equal(holds.countersOf(uuid), undefined);
  t.equal(holds.countersOf('abc'), counters);
  holds.add(uuid, [], 2);
  t.strictSame(holds.countersOf(uuid), []);
  t.equal(holds.countersOf('abc'), counters);
  t.equal(holds.take(), counters);
  t.equal(holds.countersOf('abc'), undefined);
  t.strictSame(holds.countersOf(uuid), []);
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

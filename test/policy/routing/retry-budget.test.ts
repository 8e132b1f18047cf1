import fc from 'fast-check';
import t from 'tap';
import { createRetryBudget } from '../../../src/policy/routing/retry-budget.js';

const NOW = 1_800_000_000_000;
const WINDOW_MS = 60_000;

t.test('floor, share and time', async (t) => {
  const budget = createRetryBudget();
  const take = (model: string, now: number, share = 0.2): number => {
    let taken = 0;
    while (taken < 1_000 && budget.allows(model, share, now)) {
      budget.attempt(model, now);
      taken += 1;
    }
    return taken;
  };
  t.equal(take('a', NOW), 3, 'without any request: the floor');
  t.equal(take('b', NOW), 3, 'each model its own');
  t.equal(take('a', NOW + 55_000), 0);
  t.equal(take('a', NOW + 70_000), 3, 'a minute later again');
  for (let count = 0; count < 100; count += 1) budget.request('c', NOW);
  t.equal(take('c', NOW), 20, '20 % of 100');
  t.equal(take('c', NOW, 0.5), 30, 'the share is given with each call');
  t.equal(take('c', NOW + WINDOW_MS, 0.5), 0, 'requests are forgotten before attempts');
  t.equal(take('c', NOW + WINDOW_MS + 10_000), 3);
  t.notOk(budget.allows('never', 0, NOW), 'share 0: not even the floor');
  t.ok(budget.allows('c', null, NOW), 'no bound');
  t.equal(take('d', NOW), 3);
  t.equal(take('d', NOW - 100_000), 0, 'a clock that goes back gives nothing');
});

t.test('never more than the floor or the share in any minute', async () => {
  const event = fc.record({
    kind: fc.constantFrom('request', 'extra', 'extra'),
    after: fc.oneof(
      fc.integer({ min: 0, max: 500 }),
      fc.integer({ min: 0, max: 15_000 }),
      fc.integer({ min: 50_000, max: 75_000 }),
    ),
    burst: fc.integer({ min: 1, max: 40 }),
  });
  fc.assert(
    fc.property(
      fc.array(event, { maxLength: 120 }),
      fc.integer({ min: 0, max: WINDOW_MS }),
      fc.double({ min: 0.05, max: 1, noNaN: true }),
      (events, offset, share) => {
        const budget = createRetryBudget();
        const requests: number[] = [];
        const extras: number[] = [];
        let now = NOW + offset;
        const inWindow = (times: readonly number[]) => times.filter((time) => time > now - WINDOW_MS).length;
        for (const { kind, after, burst } of events) {
          now += after;
          for (let count = 0; count < burst; count += 1) {
            if (kind === 'request') {
              budget.request('m', now);
              requests.push(now);
            } else if (budget.allows('m', share, now)) {
              budget.attempt('m', now);
              extras.push(now);
              if (inWindow(extras) > Math.max(3, share * inWindow(requests))) return false;
            } else if (extras.length === 0) return false;
          }
        }
        return true;
      },
    ),
    { numRuns: 500 },
  );
});

t.test('bounded', async (t) => {
  const budget = createRetryBudget({ mostModels: 10 });
  for (let count = 0; count < 3; count += 1) budget.attempt('first', NOW);
  t.notOk(budget.allows('first', 0.2, NOW));
  for (let count = 0; count < 10; count += 1) budget.request(`m${count}`, NOW);
  t.ok(budget.allows('first', 0.2, NOW), 'forgotten');
});

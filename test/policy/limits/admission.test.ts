import fc from 'fast-check';
import t from 'tap';
import type { HeldLimits } from '../../../src/policy/limits/limiter.js';
import { createMemoryCounters } from '../../../src/store/memory/memory-counters.js';
import { ADMISSION_CASES, Gateways } from './admission-cases.js';
import { LimiterUnderTest } from './limiter-under-test.js';
import { bound, limitRule, PER_USER, TOTAL } from './sample-limits.js';

t.test('several gateways on one store', async (t) => {
  for (const gateways of [1, 4]) {
    for (const { name, rules, run, expected } of ADMISSION_CASES) {
      const store = createMemoryCounters({ now: Date.now });
      const stores = Array.from({ length: gateways }, () => store);
      t.strictSame(await run(new Gateways(stores, rules())), expected, `${gateways}: ${name}`);
    }
  }
});

const amount = fc.nat(12);
const event = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('ask' as const),
      user: fc.constantFrom('ann', 'bob'),
      tokens: amount,
      cost: amount,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('settle' as const), which: fc.nat(), tokens: amount, cost: amount }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(90_000) }) },
);
const between = (min: number, max: number) => fc.integer({ min, max });
const limits = fc.record({
  requests: between(1, 9),
  tokens: between(10, 60),
  cost: between(10, 60),
  concurrent: between(1, 6),
  all: between(20, 200),
});

t.test('case 112: nothing is admitted beyond a limit, whatever was held and used before', async (t) => {
  let admitted = 0;
  let refused = 0;
  await fc.assert(
    fc.asyncProperty(limits, fc.array(event, { minLength: 15, maxLength: 60 }), async (max, events) => {
      const under = new LimiterUnderTest([
        limitRule('user', {
          per: PER_USER,
          requests: bound(max.requests),
          tokens: { ...bound(max.tokens), of: 'total' },
          concurrent: max.concurrent,
        }),
        limitRule('all', { cost: bound(max.all, TOTAL) }),
        limitRule('some', { per: PER_USER, cost: bound(max.cost) }),
      ]);
      const open: HeldLimits[] = [];
      for (const next of events) {
        if (next.kind === 'wait') under.now += next.ms;
        else if (next.kind === 'settle') {
          const [held] = open.splice(next.which % Math.max(1, open.length), 1);
          if (held) under.settle(held, { tokens: next.tokens, cost: next.cost });
        } else {
          const { user, tokens, cost } = next;
          const verdict = under.ask({ user, amounts: { tokens, cost }, ttlMs: 60_000 });
          if (verdict.kind === 'held') {
            admitted += 1;
            open.push(verdict.held);
            const { places } = verdict.held;
            const rows = (await under.rows()).filter(({ state }) => Object.hasOwn(places, state.place));
            if (rows.length !== 5) return false;
            // What asks for nothing may pass a limit that others have overshot.
            const asking = rows.filter(({ state }) => (places[state.place] ?? 0) > 0);
            if (asking.some(({ state, max: most }) => state.used + state.held > most)) return false;
          } else refused += 1;
        }
      }
      return true;
    }),
    { numRuns: 150 },
  );
  t.ok(admitted > 100 && refused > 100, `${admitted} admitted, ${refused} refused`);
});

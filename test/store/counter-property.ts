import fc from 'fast-check';
import type { Amounts, Counter, CounterStore } from '../../src/store/counter-store.js';
import { asking, calendar, counter, MINUTE, ROLLING, TOTAL } from './ask.js';
import { START } from './counter-cases.js';
import { CounterModel, shown, startOf } from './counter-model.js';

type Step =
  | {
      readonly kind: 'hold';
      readonly id: number;
      readonly which: number;
      readonly amounts: Amounts;
      readonly ttlMs: number;
    }
  | { readonly kind: 'settle'; readonly id: number; readonly amounts: Amounts }
  | { readonly kind: 'read'; readonly which: number }
  | { readonly kind: 'wait'; readonly ms: number }
  | {
      readonly kind: 'seed';
      readonly source: number;
      readonly which: number;
      readonly ago: number;
      readonly sum: number;
    };

const small = fc.nat({ max: 9 });
const amounts: fc.Arbitrary<Amounts> = fc.record({
  requests: fc.constantFrom(1, 1, 1, 0, 2),
  input_tokens: small,
  output_tokens: small,
  tokens: small,
  cost: fc.oneof(small, fc.constantFrom(2 ** 53 - 1, 2 ** 53 - 2, 10 ** 15)),
});
const id = fc.nat({ max: 11 });
const which = fc.integer({ min: 0, max: 255 });
const wait = fc.oneof(fc.nat({ max: 3000 }), fc.constantFrom(117, 999, 1000, 6999, 30_000, 59_999, 60_000, 3_600_000));
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant('hold'), id, which, amounts, ttlMs: fc.integer({ min: 1, max: 90_000 }) }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('settle'), id, amounts }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('read'), which }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('wait'), ms: wait }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('seed'), source: fc.nat({ max: 2 }), which, ago: wait, sum: small }),
  },
);

/** Milliseconds of the windows: a fixed one, a rolling one that does not divide into slots, a small rolling one. */
export type Lengths = readonly [fixed: number, odd: number, rolling: number];

const SHORT: Lengths = [1000, 7001, 10];
/** For a server that forgets what is over by its own clock, whatever time the test pretends. */
export const LONG: Lengths = [30_000, 70_001, 20_000];

/**
 * Any order of holds, settlements, expiries, new windows, repeated ids and seeds, with all answers as the model has them.
 * `clock` is the store's; the runs follow each other in one store, each with counters of its own.
 */
export async function checkAgainstModel(
  store: CounterStore,
  clock: { now: number },
  { runs, lengths = SHORT }: { readonly runs: number; readonly lengths?: Lengths },
): Promise<void> {
  let run = 0;
  clock.now = START;
  const property = fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60 }), async (steps) => {
    run += 1;
    await play(store, clock, { steps, run: `r${run}`, lengths });
  });
  await fc.assert(property, { numRuns: runs });
}

async function play(
  store: CounterStore,
  clock: { now: number },
  { steps, run, lengths }: { steps: readonly Step[]; run: string; lengths: Lengths },
): Promise<void> {
  const ask = asking(store);
  const model = new CounterModel();
  const all = counters(run, lengths);
  const chosen = (bits: number): readonly Counter[] => all.filter((_, index) => (bits >> index) & 1);
  const compare = (what: Step, found: string, wanted: string): void => {
    if (found !== wanted) throw new Error(`${JSON.stringify(what)}\n  found  ${found}\n  wanted ${wanted}`);
  };
  for (const what of steps) {
    const { now } = clock;
    if (what.kind === 'wait') clock.now += what.ms;
    else if (what.kind === 'read') {
      const states = await ask.read(...chosen(what.which));
      compare(what, shown({ kind: 'read', states }), model.read(chosen(what.which), now));
    } else if (what.kind === 'settle') {
      const name = `${run}-${what.id}`;
      compare(what, shown(await ask.settle(name, what.amounts)), model.settle(name, what.amounts, now));
    } else if (what.kind === 'hold') {
      const name = `${run}-${what.id}`;
      if (model.isForgotten(name, now)) continue;
      const found = await ask.hold(name, chosen(what.which), { ...what.amounts, ttlMs: what.ttlMs });
      compare(what, shown(found), model.hold(name, chosen(what.which), { ...what, now }));
    } else {
      const told = chosen(what.which)
        .filter(({ of }) => of !== 'concurrent')
        .map((one) => ({ counter: one, at: now - what.ago, used: BigInt(what.sum) }));
      const used = new Map(told.map(({ counter, at, used }) => [`${counter.key}@${startOf(counter, at)}`, used]));
      const source = `${run}-${what.source}`;
      const problem = await ask.seed({ source, used });
      if (problem !== null) throw problem;
      model.seed(source, told);
    }
  }
}

function counters(run: string, [fixed, odd, rolling]: Lengths): readonly Counter[] {
  return [
    counter('requests', MINUTE, 5, run),
    counter('tokens', ROLLING, 30, run),
    counter('cost', TOTAL, 10n ** 17n, run),
    counter('concurrent', TOTAL, 3, run),
    counter('tokens', calendar('day', 'Asia/Tokyo'), 100, run),
    { ...counter('input_tokens', { kind: 'duration', ms: fixed, sliding: false }, 3, run), enforced: false },
    counter('output_tokens', { kind: 'duration', ms: odd, sliding: true }, 12, run),
    counter('tokens', { kind: 'duration', ms: rolling, sliding: true }, 5, run),
  ];
}

import fc from 'fast-check';
import t from 'tap';
import { ExactSum } from '../../../src/store/memory/exact-sum.js';

const MOST = Number.MAX_SAFE_INTEGER;
/** Many of them take a sum over the largest safe integer, in one step or in a few. */
const amounts = fc.oneof(
  fc.integer({ min: 0, max: 1000 }),
  fc.integer({ min: MOST - 1000, max: MOST }),
  fc.constant(2 ** 52),
);

t.test('as a BigInt, over the safe integers and back', async () => {
  const steps = fc.array(fc.record({ amount: amounts, kind: fc.constantFrom('add', 'take', 'large', 'clear') }), {
    maxLength: 60,
  });
  fc.assert(
    fc.property(steps, (taken) => {
      const sum = new ExactSum();
      let model = 0n;
      const inside: number[] = [];
      for (const { amount, kind } of taken) {
        if (kind === 'add') {
          inside.push(amount);
          sum.add(amount);
          model += BigInt(amount);
        } else if (kind === 'take') {
          const out = inside.pop() ?? 0;
          sum.add(-out);
          model -= BigInt(out);
        } else if (kind === 'large') {
          sum.addLarge(BigInt(amount) * 3n);
          model += BigInt(amount) * 3n;
        } else if (amount < 100) {
          inside.length = 0;
          sum.clear();
          model = 0n;
        }
        if (sum.value !== model || sum.isZero !== (model === 0n)) return false;
      }
      return true;
    }),
    { numRuns: 500 },
  );
});

t.test('what is no whole number changes nothing', async (t) => {
  const sum = new ExactSum();
  sum.add(7);
  for (const amount of [Number.NaN, 1.5, Number.POSITIVE_INFINITY]) t.throws(() => sum.add(amount), RangeError);
  t.equal(sum.value, 7n);
});

t.test('more than a maximum, or not, to the last unit', async () => {
  const maxima = fc.oneof(fc.constantFrom(0n, BigInt(MOST), 2n ** 53n + 1n, 2n ** 60n), fc.bigInt(0n, 3000n));
  fc.assert(
    fc.property(
      fc.array(amounts, { maxLength: 3 }),
      fc.array(amounts, { maxLength: 3 }),
      amounts,
      maxima,
      (...asked) => {
        const [used, held, amount, most] = asked;
        const [one, other] = [new ExactSum(), new ExactSum()];
        for (const part of used) one.add(part);
        for (const part of held) other.add(part);
        const whole = one.value + other.value + BigInt(amount);
        return [most, whole, whole - 1n].every((max) => one.passes(other, amount, max) === whole > max);
      },
    ),
    { numRuns: 500 },
  );
});

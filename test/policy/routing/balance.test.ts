import fc from 'fast-check';
import t from 'tap';
import { balanceTargets } from '../../../src/policy/routing/balance.js';
import { seededRandom } from '../../seeded-random.js';

interface Weighted {
  readonly name: string;
  readonly weight: number;
  readonly ms: number | null;
}

const target = (name: string, weight: number, ms: number | null = null): Weighted => ({ name, weight, ms });

type Way = 'ordered' | 'weighted' | 'least_latency';

function balance(targets: readonly Weighted[], way: Way, random: () => number): readonly Weighted[] {
  return balanceTargets(targets, way, { random, latency: ({ ms }) => ms });
}

/** Share of each name in first place. */
function firstPlaces(targets: readonly Weighted[], way: Way, runs = 20_000): ReadonlyMap<string, number> {
  const random = seededRandom(7);
  const counts = new Map<string, number>();
  for (let run = 0; run < runs; run += 1) {
    const name = balance(targets, way, random)[0]?.name ?? '';
    counts.set(name, (counts.get(name) ?? 0) + 1 / runs);
  }
  return counts;
}

t.test('always a permutation', async () => {
  const targets = fc.array(
    fc.record({
      name: fc.string(),
      weight: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 100 })),
      ms: fc.oneof(fc.constant(null), fc.integer({ min: 0, max: 10_000 })),
    }),
    { maxLength: 8 },
  );
  const randoms = fc.infiniteStream(
    fc.oneof(fc.constantFrom(0, 1 - 2 ** -53), fc.double({ min: 0, max: 1 - 2 ** -53, noNaN: true })),
  );
  fc.assert(
    fc.property(
      targets,
      fc.constantFrom<Way>('ordered', 'weighted', 'least_latency'),
      randoms,
      (given, way, stream) => {
        const result = balance(given, way, () => stream.next().value ?? 0);
        const zeros = result.map(({ weight }) => weight === 0);
        return (
          result.length === given.length &&
          given.every((one) => result.includes(one)) &&
          (way !== 'ordered' || result.every((one, index) => one === given[index])) &&
          (way !== 'weighted' || given.length < 2 || zeros.lastIndexOf(false) < (zeros.indexOf(true) + 1 || 99))
        );
      },
    ),
    { numRuns: 2_000 },
  );
});

t.test('weighted', async (t) => {
  const places = firstPlaces([target('a', 80), target('b', 20), target('c', 0)], 'weighted');
  t.ok(Math.abs((places.get('a') ?? 0) - 0.8) < 0.015, `80 % first: ${places.get('a')}`);
  t.ok(Math.abs((places.get('b') ?? 0) - 0.2) < 0.015);
  t.notOk(places.has('c'), 'weight 0 is never first');
  const random = seededRandom(3);
  const seconds = { b: 0, c: 0 };
  for (let run = 0; run < 20_000; run += 1) {
    const [first, second] = balance([target('a', 50), target('b', 40), target('c', 10)], 'weighted', random);
    if (first?.name === 'a' && (second?.name === 'b' || second?.name === 'c')) seconds[second.name] += 1;
  }
  const share = seconds.b / (seconds.b + seconds.c);
  t.ok(Math.abs(share - 0.8) < 0.02, `the second place follows the weights of the rest: ${share}`);
  const zeros = [target('a', 0), target('b', 0)];
  t.same(balance(zeros, 'weighted', seededRandom(1)), zeros, 'all 0: as given');
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }), (one, other) => {
      const first = firstPlaces([target('a', one), target('b', other)], 'weighted', 4_000).get('a') ?? 0;
      return Math.abs(first - one / (one + other)) < 0.04;
    }),
    { numRuns: 30 },
  );
});

t.test('least latency', async (t) => {
  const two = firstPlaces([target('slow', 1, 900), target('fast', 1, 100)], 'least_latency');
  t.equal(two.get('fast')?.toFixed(3), '1.000', 'of two the faster one');
  const three = [target('slow', 1, 900), target('fast', 1, 100), target('middle', 1, 300)];
  const places = firstPlaces(three, 'least_latency');
  t.ok(Math.abs((places.get('fast') ?? 0) - 2 / 3) < 0.02, 'in two of three pairs');
  t.ok(Math.abs((places.get('middle') ?? 0) - 1 / 3) < 0.02);
  t.notOk(places.has('slow'));
  const random = seededRandom(5);
  for (let run = 0; run < 100; run += 1) {
    const [, ...rest] = balance([...three, target('new', 1)], 'least_latency', random);
    const known = rest.flatMap(({ ms }) => (ms === null ? [] : [ms]));
    t.same(
      known,
      [...known].sort((one, other) => one - other),
      'the rest by latency',
    );
    if (rest.some(({ ms }) => ms === null)) t.equal(rest.at(-1)?.name, 'new');
  }
  const explored = firstPlaces([target('known', 1, 50), target('new', 1)], 'least_latency').get('new') ?? 0;
  t.ok(explored > 0.08 && explored < 0.12, `unknown is explored: ${explored}`);
  const unknown = firstPlaces([target('a', 1), target('b', 1)], 'least_latency').get('a') ?? 0;
  t.ok(Math.abs(unknown - 0.5) < 0.02, 'nothing known: evenly');
});

import fc from 'fast-check';
import t from 'tap';
import {
  counterKey,
  escapeKeyPart,
  keyPrefix,
  LONGEST_KEY,
  partitionText,
} from '../../../src/policy/limits/counter-key.js';
import { compileRule } from '../../../src/policy/limits/slots.js';
import type { CounterWindow, Dimension } from '../../../src/store/counter-store.js';
import { bound, dollars, limitRule, MONTH, subjectOf, TOTAL } from './sample-limits.js';

t.test('every request gets the slots of its own partition, however many came before', async (t) => {
  const rule = limitRule('x', { per: [{ kind: 'request.user' }], requests: bound(60), concurrent: 3 });
  const { slots } = compileRule(rule, 0, 'UTC');
  const users = Array.from({ length: 1_500 }, (_, number) => `u${number}`);
  users.push('', 'a'.repeat(300), `${'a'.repeat(300)}b`, '__proto__');
  for (const user of [...users, ...users.toReversed(), 'u1499', 'u1499']) {
    for (const enforced of [true, false]) {
      const key = (of: Dimension, window: CounterWindow) =>
        counterKey(keyPrefix('x', of, window), partitionText(['request.user'], [user]));
      const got = slots(subjectOf({ user }), { enforced });
      const wanted = [
        [key('requests', { kind: 'duration', ms: 60_000, sliding: false }), enforced, user],
        [key('concurrent', { kind: 'total' }), enforced, user],
      ];
      const said = got.map(({ counter, partition }) => [counter.key, counter.enforced, partition[0]]);
      if (JSON.stringify(said) !== JSON.stringify(wanted)) t.same(said, wanted);
    }
  }
});

t.test('keys', async (t) => {
  const rule = limitRule('per user|x', {
    per: [{ kind: 'key.id' }, { kind: 'key.labels', name: 'team' }, { kind: 'request.user' }],
    requests: bound(60),
    tokens: { ...bound(1000, { kind: 'duration', ms: 3_600_000 }, true), of: 'input' },
    cost: bound(dollars(5), MONTH),
    concurrent: 3,
  });
  const slots = compileRule(rule, 0, 'Europe/Berlin').slots(subjectOf({ user: 'ann@x,y=z' }), { enforced: true });
  t.same(
    slots.map(({ counter }) => counter.key),
    [
      'per user%7cx|requests|60000ms|key.id=web,key.labels.team=,request.user=ann%40x%2cy%3dz',
      'per user%7cx|input_tokens|3600000ms sliding|key.id=web,key.labels.team=,request.user=ann%40x%2cy%3dz',
      'per user%7cx|cost|month Europe/Berlin|key.id=web,key.labels.team=,request.user=ann%40x%2cy%3dz',
      'per user%7cx|concurrent|total|key.id=web,key.labels.team=,request.user=ann%40x%2cy%3dz',
    ],
  );
  t.same(
    slots.map(({ counter: { of, max, window } }) => [of, max, window.kind]),
    [
      ['requests', 60n, 'duration'],
      ['input_tokens', 1000n, 'duration'],
      ['cost', 5_000_000_000n, 'calendar'],
      ['concurrent', 3n, 'total'],
    ],
  );
  const whole = compileRule(limitRule('all', { requests: bound(1, TOTAL) }), 0, 'UTC');
  const use = { enforced: false };
  t.same(
    whole.slots(subjectOf(), use).map(({ counter }) => counter),
    [{ key: 'all|requests|total|', of: 'requests', window: { kind: 'total' }, max: 1n, enforced: false }],
  );
});

const nasty = fc.string({
  unit: fc.constantFrom(
    'a',
    'b',
    '|',
    ',',
    '=',
    '%',
    '7',
    'c',
    '#',
    '@',
    '\n',
    '\u0000',
    '\ud800',
    '\udc00',
    'ü',
    '{',
    '}',
  ),
  maxLength: 3,
});
const text = fc.oneof(
  nasty,
  nasty.map((start) => start + '€'.repeat(300)),
);
const window: fc.Arbitrary<CounterWindow> = fc.oneof(
  fc.constant<CounterWindow>({ kind: 'total' }),
  fc.record({ kind: fc.constant('duration' as const), ms: fc.nat(3), sliding: fc.boolean() }),
  fc.record({
    kind: fc.constant('calendar' as const),
    unit: fc.constantFrom('day', 'month'),
    timeZone: fc.constantFrom('UTC', 'Europe/Berlin', 'America/Argentina/ComodRivadavia'),
  }),
);
const dimension = fc.constantFrom<Dimension>('requests', 'tokens', 'cost');
const parts = fc.tuple(text, dimension, window, fc.array(fc.tuple(text, text), { maxLength: 3 }));

function keyOf([limit, of, length, fields]: typeof parts extends fc.Arbitrary<infer T> ? T : never): string {
  const names = fields.map(([name]) => escapeKeyPart(name));
  const values = fields.map(([, value]) => value);
  return counterKey(keyPrefix(limit, of, length), partitionText(names, values));
}

t.test('different counters have different keys, bounded and clean', async (t) => {
  fc.assert(
    fc.property(parts, parts, (one, other) => {
      const [oneKey, otherKey] = [keyOf(one), keyOf(other)];
      const same = JSON.stringify(one) === JSON.stringify(other);
      const clean = oneKey.length <= LONGEST_KEY && !/[@{}\p{Cc}\p{Cs}]/u.test(oneKey);
      return clean && Buffer.from(oneKey).equals(Buffer.from(otherKey)) === same;
    }),
    { numRuns: 5000 },
  );
  t.not(
    keyOf(['a', 'cost', { kind: 'total' }, [['x', '\ud800']]]),
    keyOf(['a', 'cost', { kind: 'total' }, [['x', '\udc00']]]),
  );
  const long = 'x'.repeat(1000);
  t.match(keyOf(['a', 'cost', { kind: 'total' }, [['x', long]]]), /^a\|cost\|total\|#[\w-]{43}$/);
  t.not(
    keyOf(['a', 'cost', { kind: 'total' }, [['x', long]]]),
    keyOf(['a', 'cost', { kind: 'total' }, [['x', `${long}y`]]]),
  );
});

t.test('one text cut into limit, names and values in two ways', async (t) => {
  const cuts = fc.array(fc.nat(12), { minLength: 4, maxLength: 4 });
  const cut = (whole: string, places: readonly number[]): readonly string[] => {
    const ends = [...places.map((place) => Math.min(place, whole.length)), whole.length].sort((a, b) => a - b);
    return ends.map((end, index) => whole.slice(ends[index - 1] ?? 0, end));
  };
  const keyOfPieces = ([limit = '', ...rest]: readonly string[]): string => {
    const names = rest.slice(0, 2).map(escapeKeyPart);
    return counterKey(keyPrefix(limit, 'cost', { kind: 'total' }), partitionText(names, rest.slice(2)));
  };
  const whole = fc.string({ unit: fc.constantFrom('|', ',', '=', '%', '2', 'c', '#'), maxLength: 12 });
  let different = 0;
  fc.assert(
    fc.property(whole, cuts, cuts, (text, one, other) => {
      const [pieces, others] = [cut(text, one), cut(text, other)];
      const same = JSON.stringify(pieces) === JSON.stringify(others);
      if (!same) different += 1;
      return (keyOfPieces(pieces) === keyOfPieces(others)) === same;
    }),
    { numRuns: 20_000 },
  );
  t.ok(different > 5000);
});

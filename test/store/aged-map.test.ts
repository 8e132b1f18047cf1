import fc from 'fast-check';
import t from 'tap';
import { AgedMap } from '../../src/store/aged-map.js';

const keys = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f');
const steps = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('add' as const), key: keys }),
    fc.record({ kind: fc.constant('delete' as const), key: keys }),
    fc.record({ kind: fc.constant('expire' as const), key: fc.constant('') }),
  ),
  { maxLength: 60 },
);

t.test('as a list in the order of adding', async () => {
  fc.assert(
    fc.property(steps, (taken) => {
      const map = new AgedMap<number>();
      let list: (readonly [string, number])[] = [];
      for (const [at, { kind, key }] of taken.entries()) {
        const gone = kind === 'expire' ? (map.oldest()?.key ?? '') : key;
        const there = list.some(([name]) => name === gone);
        if (kind === 'expire' && gone !== (list[0]?.[0] ?? '')) return false;
        list = list.filter(([name]) => name !== gone);
        if (kind === 'add') {
          list.push([key, at]);
          map.add(key, at);
        } else if (map.delete(gone) !== there) return false;
        if (!isSame(map, list)) return false;
      }
      return true;
    }),
  );
});

function isSame(map: AgedMap<number>, list: readonly (readonly [string, number])[]): boolean {
  const [first] = list;
  const oldest = map.oldest();
  return (
    JSON.stringify([...map.entries()]) === JSON.stringify(list) &&
    map.size === list.length &&
    list.every(([key, value]) => map.get(key) === value) &&
    (first === undefined ? oldest === null : oldest?.key === first[0] && oldest.value === first[1])
  );
}

import fc from 'fast-check';
import t from 'tap';
import { HeldPlaces } from '../../../src/policy/limits/places.js';
import { compileRule } from '../../../src/policy/limits/slots.js';
import type { CounterState } from '../../../src/store/counter-store.js';
import { bound, limitRule, subjectOf } from './sample-limits.js';

const rule = limitRule('x', { requests: bound(60), tokens: { ...bound(1000), of: 'total' }, concurrent: 3 });
const slots = compileRule(rule, 0, 'UTC').slots(subjectOf(), { enforced: true });

function stateAt(place: string): CounterState {
  return { used: 0n, held: 0n, place, resetsAt: null, resetsInMs: null };
}

t.test('each place has what is held there, whichever came before', async () => {
  const names = fc.constantFrom('a@0', 'b@0', 'a@60000', 'c@0', 'd@0');
  const asked = fc.record({ places: fc.uniqueArray(names, { maxLength: 3 }), tokens: fc.nat(1000) });
  fc.assert(
    fc.property(fc.array(asked, { maxLength: 30 }), (requests) => {
      const held = new HeldPlaces();
      return requests.every(({ places, tokens }) => {
        const amounts = { requests: 1, input_tokens: 0, output_tokens: tokens, tokens, cost: 0 };
        const found = held.of(slots.slice(0, places.length), places.map(stateAt), amounts);
        const wanted = places.map((place, index) => [place, [1, tokens, 1][index]]);
        return JSON.stringify(Object.entries(found)) === JSON.stringify(wanted);
      });
    }),
  );
});

t.test('more than are kept at hand', async (t) => {
  const held = new HeldPlaces();
  const amounts = { requests: 1, input_tokens: 0, output_tokens: 0, tokens: 7, cost: 0 };
  for (let round = 0; round < 3; round += 1) {
    for (let user = 0; user < 700; user += 1) {
      const found = held.of(slots.slice(0, 2), [stateAt(`r${user}@0`), stateAt(`t${user}@0`)], amounts);
      if (JSON.stringify(found) !== `{"r${user}@0":1,"t${user}@0":7}`) t.fail(JSON.stringify(found));
    }
  }
});

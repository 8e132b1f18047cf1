import fc from 'fast-check';
import t from 'tap';
import { OpenChoices } from '../../../src/dialects/openai-chat/open-choices.js';

t.test('property: finished when all that began have finished', async () => {
  const index = fc.oneof(fc.nat(2), fc.constantFrom(28, 29, 30, 31, 32, 64, 1e9, -1, 0.5));
  fc.assert(
    fc.property(fc.array(fc.record({ index, last: fc.boolean() }), { maxLength: 20 }), (events) => {
      const choices = new OpenChoices();
      const begun = new Set<number>();
      const finished = new Set<number>();
      return events.every(({ index: choice, last }) => {
        choices.note(choice, { last });
        begun.add(choice);
        if (last) finished.add(choice);
        return choices.allFinished === (finished.size === begun.size);
      });
    }),
    { numRuns: 2000 },
  );
});

t.test('nothing has finished before anything began', async (t) => {
  t.equal(new OpenChoices().allFinished, false);
});

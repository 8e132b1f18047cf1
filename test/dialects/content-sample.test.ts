import fc from 'fast-check';
import t from 'tap';
import { ContentSample } from '../../src/dialects/content-sample.js';

const KEPT = 16 * 1024;

t.test('the beginning of all texts, however they come', async (t) => {
  const piece = fc.record({
    text: fc.oneof(fc.string({ unit: 'grapheme' }), fc.constant('é'.repeat(9_000))),
    asBytes: fc.boolean(),
    /** Somebody looks in between. */
    look: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 6 }), fc.nat(64), (pieces, few) => {
      const sample = new ContentSample();
      let whole = Buffer.alloc(0);
      for (const { text, asBytes, look } of pieces) {
        const bytes = Buffer.from(text);
        if (asBytes) sample.addBytes(Buffer.concat([Buffer.from('<'), bytes]), 1, bytes.length + 1);
        else sample.addText(text, bytes.length);
        whole = Buffer.concat([whole, bytes]).subarray(0, KEPT);
        if (look) t.equal(sample.text(), whole.toString());
      }
      t.equal(sample.length, whole.length);
      t.equal(sample.text(few), whole.toString('utf8', 0, few));
      t.equal(sample.text(), whole.toString());
    }),
  );
});

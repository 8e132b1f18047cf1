import fc from 'fast-check';
import t from 'tap';
import type { LedgerEntry } from '../../../src/accounting/ledger/entry.js';
import { decodeLine, encodeLine } from '../../../src/accounting/ledger/line.js';
import { LineBuffer } from '../../../src/accounting/ledger/line-buffer.js';
import { final, hold } from '../samples.js';

t.test('lines that are put together are the lines of the entries', async (t) => {
  const buffer = new LineBuffer();
  const text = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ maxLength: 40_000 }));
  const entry = fc.tuple(text, text, fc.boolean()).map(([id, user, holds]): LedgerEntry => {
    return holds ? hold(id, { user }) : final(id, { user });
  });
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 8 }), (entries) => {
      const lines = buffer.fill(entries.map((one) => ({ json: JSON.stringify(one) })));
      return lines.equals(Buffer.from(entries.map(encodeLine).join('')));
    }),
    { numRuns: 40 },
  );
  const [line = ''] = buffer
    .fill([{ json: JSON.stringify(final('r1')) }])
    .toString()
    .split('\n');
  t.match(decodeLine(Buffer.from(line)), { type: 'settle', id: 'r1' });
});

import t from 'tap';
import { StringWalker } from '../../src/codec/json-string.js';

t.test('every byte at every place of a word', async (t) => {
  const plain = [0x20, 0x21, 0x23, 0x7f, 0x80, 0xff];
  for (let byte = 0; byte < 256; byte += 1) {
    for (let place = 0; place < 12; place += 1) {
      for (const around of plain) {
        const bytes = Buffer.alloc(16, around);
        bytes[place] = byte;
        bytes[13] = 0x22;
        // An escape takes its letter with it.
        if (byte === 0x5c) bytes[place + 1] = 0x6e;
        const walker = new StringWalker(bytes);
        const expected = byte < 0x20 ? -1 : byte === 0x22 ? place : 13;
        if (walker.walk(0, bytes.length) !== expected) t.fail(`${byte} at ${place} among ${around}`);
        if (walker.escaped !== (byte === 0x5c)) t.fail(`${byte} at ${place} among ${around}: escaped`);
      }
    }
  }
  t.pass();
});

import fc from 'fast-check';
import t from 'tap';
import { lastingCopy, lastingLatin1, lastingRoom } from '../../src/codec/lasting-room.js';

const size = fc.oneof(fc.nat(64), fc.nat(2100), fc.constantFrom(0, 2047, 2048, 2049, 16_384, 40_000));

t.test('property: everyone has the room they asked for, and nobody else writes into it', async () => {
  fc.assert(
    fc.property(fc.array(size, { maxLength: 60 }), (sizes) => {
      const rooms = sizes.map((each) => lastingRoom(each));
      for (const [index, room] of rooms.entries()) room.fill(index + 1);
      return rooms.every(
        (room, index) => room.length === sizes[index] && room.every((byte) => byte === (index + 1) % 256),
      );
    }),
    { numRuns: 300 },
  );
});

t.test('property: copies are the same bytes, and stay so', async () => {
  const bytes = fc.uint8Array({ maxLength: 3000 });
  fc.assert(
    fc.property(fc.array(fc.tuple(bytes, fc.nat(3000), fc.nat(3000)), { maxLength: 20 }), (pieces) => {
      const copies = pieces.map(([piece, one, other]) => {
        const from = Buffer.from(piece);
        const [start, end] = [Math.min(one, other, from.length), Math.min(Math.max(one, other), from.length)];
        const wanted = Buffer.from(from.subarray(start, end));
        const copy = lastingCopy(from, start, end);
        from.fill(0);
        return { copy, wanted };
      });
      return copies.every(({ copy, wanted }) => copy.equals(wanted));
    }),
  );
});

t.test('small ones lie together, large ones by themselves', async (t) => {
  const rooms = Array.from({ length: 50 }, () => lastingRoom(100));
  t.ok(new Set(rooms.map(({ buffer }) => buffer)).size <= 2);
  t.equal(lastingRoom(5000).buffer.byteLength, 5000);
  t.same(lastingCopy(Buffer.from('whole')), Buffer.from('whole'));
  t.same(lastingLatin1('\u00e9\u0000z'), Buffer.from([0xe9, 0, 0x7a]));
});

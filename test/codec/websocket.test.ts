import fc from 'fast-check';
import t from 'tap';
import { WebSocketReader } from '../../src/codec/websocket.js';
import { cutAt } from '../dialects/recordings.js';

/** A frame as a server writes it; `size` chooses among the three forms of the length. */
function frame(first: number, payload: Buffer, size: 'short' | 'word' | 'long' = 'short'): Buffer {
  if (size === 'short' && payload.length < 126) return Buffer.concat([Buffer.of(first, payload.length), payload]);
  const header = Buffer.alloc(size === 'long' || payload.length > 65_535 ? 10 : 4);
  header[0] = first;
  header[1] = header.length === 10 ? 127 : 126;
  if (header.length === 10) header.writeBigUInt64BE(BigInt(payload.length), 2);
  else header.writeUInt16BE(payload.length, 2);
  return Buffer.concat([header, payload]);
}

/** What is told, in its order. */
function read(pieces: readonly Buffer[]): { told: string[]; readable: boolean } {
  const told: string[] = [];
  const reader = new WebSocketReader({
    text: (bytes) => told.push(`text ${bytes}`),
    closed: () => told.push('closed'),
    skipped: () => told.push('skipped'),
  });
  for (const piece of pieces) reader.push(piece);
  return { told, readable: reader.readable };
}

const [FIN, TEXT, BINARY, CLOSE, PING, COMPRESSED] = [0x80, 1, 2, 8, 9, 0x40];

t.test('messages, and what is none', async (t) => {
  const hello = Buffer.from('héllo');
  const cases: readonly (readonly [string, readonly Buffer[], readonly string[], boolean])[] = [
    ['one frame', [frame(FIN | TEXT, hello)], ['text héllo'], true],
    ['an empty message', [frame(FIN | TEXT, Buffer.alloc(0))], ['text '], true],
    ['a length of two bytes', [frame(FIN | TEXT, hello, 'word')], ['text héllo'], true],
    ['a length of eight bytes', [frame(FIN | TEXT, hello, 'long')], ['text héllo'], true],
    [
      'pieces with a ping and a pong between them',
      [
        frame(TEXT, Buffer.from('a')),
        frame(FIN | PING, hello),
        frame(0, Buffer.from('b')),
        frame(FIN | 10, hello),
        frame(FIN, Buffer.from('c')),
      ],
      ['text abc'],
      true,
    ],
    ['an empty last piece', [frame(TEXT, Buffer.from('a')), frame(FIN, Buffer.alloc(0))], ['text a'], true],
    ['bytes', [frame(BINARY, hello), frame(FIN, hello), frame(FIN | TEXT, hello)], ['skipped', 'text héllo'], true],
    ['compressed', [frame(FIN | TEXT | COMPRESSED, hello), frame(FIN | TEXT, hello)], ['skipped', 'text héllo'], true],
    ['the end', [frame(FIN | CLOSE, Buffer.of(3, 232)), frame(FIN | TEXT, hello)], ['closed'], false],
    ['a masked frame', [Buffer.of(FIN | TEXT, 0x85, 1, 2, 3, 4, 5, 6, 7, 8, 9)], ['skipped'], false],
    ['no frame', [Buffer.from('HTTP/1.1 400 Bad Request')], ['skipped'], false],
    [
      'a length that no number holds',
      [Buffer.of(FIN | TEXT, 127, 255, 255, 255, 255, 255, 255, 255, 255)],
      ['skipped'],
      false,
    ],
  ];
  for (const [name, frames, told, readable] of cases) {
    t.same(read(frames), { told, readable }, name);
    const bytes = Buffer.concat(frames);
    t.same(read([...bytes].map((byte) => Buffer.of(byte))), { told, readable }, `${name}, byte by byte`);
  }
});

t.test('a message that is too long is passed over, whole or in pieces', async (t) => {
  const long = Buffer.alloc(4 * 1024 * 1024 + 1, 'x');
  const next = frame(FIN | TEXT, Buffer.from('next'));
  t.same(
    read([frame(FIN | TEXT, long), next]).told.map((each) => each.slice(0, 9)),
    ['text xxxx', 'text next'],
    'in one chunk nothing is kept',
  );
  const cut = cutAt(Buffer.concat([frame(FIN | TEXT, long), next]), [1000, 2000]);
  t.same(read(cut).told, ['skipped', 'text next']);
  const pieces = [
    frame(TEXT, long.subarray(0, 3_000_000)),
    frame(0, long.subarray(0, 3_000_000)),
    frame(FIN, long.subarray(0, 10)),
  ];
  t.same(read([...pieces, next]).told, ['skipped', 'text next']);
});

t.test('property: the cutting of the bytes makes no difference', async () => {
  const payload = fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 40 }),
    fc.string({ minLength: 120, maxLength: 400 }),
  );
  const event = fc.oneof(
    fc.tuple(fc.constantFrom(FIN | TEXT, TEXT, 0, FIN, FIN | BINARY, FIN | PING, FIN | TEXT | COMPRESSED), payload),
    fc.tuple(fc.constant(FIN | CLOSE), fc.constant('')),
  );
  const size = fc.constantFrom<('short' | 'word' | 'long')[]>('short', 'word', 'long');
  const noise = fc.uint8Array({ maxLength: 20 });
  fc.assert(
    fc.property(
      fc.array(fc.tuple(event, size), { maxLength: 12 }),
      noise,
      fc.array(fc.nat(5000), { maxLength: 20 }),
      (events, tail, cuts) => {
        const bytes = Buffer.concat([
          ...events.map(([[first, text], form]) => frame(first, Buffer.from(text), form)),
          Buffer.from(tail),
        ]);
        const places = cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b);
        const [whole, cut] = [read([bytes]), read(cutAt(bytes, places))];
        if (JSON.stringify(whole) !== JSON.stringify(cut))
          throw new Error(`${JSON.stringify(whole)} ≠ ${JSON.stringify(cut)}`);
      },
    ),
    { numRuns: 2_000 },
  );
});

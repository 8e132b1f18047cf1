import { crc32 } from 'node:zlib';
import { EventStreamCodec, Int64, type MessageHeaderValue } from '@smithy/eventstream-codec';
import fc from 'fast-check';
import t from 'tap';
import {
  encodeFrame,
  FrameCutter,
  type FrameHeader,
  type FrameHeaders,
  MAX_FRAME,
} from '../../src/codec/aws-event-stream.js';
import { cutAt } from '../dialects/recordings.js';

interface Frame {
  readonly headers: FrameHeaders;
  readonly payload: Buffer;
}

interface Cut {
  readonly frames: readonly Frame[];
  readonly damage: readonly string[];
  readonly whole: boolean;
}

function cut(chunks: readonly Buffer[]): Cut {
  const frames: Frame[] = [];
  const damage: string[] = [];
  const cutter = new FrameCutter({
    frame: (headers, payload) => void frames.push({ headers, payload: Buffer.from(payload) }),
    damaged: (reason) => void damage.push(reason),
  });
  for (const chunk of chunks) {
    // The cutter may not rely on a chunk's memory after the call.
    const own = Buffer.from(chunk);
    cutter.push(own);
    own.fill(0x7e);
  }
  return { frames, damage, whole: cutter.end() };
}

const oracle = new EventStreamCodec(
  (bytes) => (typeof bytes === 'string' ? bytes : Buffer.from(bytes).toString('utf8')),
  (text) => Buffer.from(text),
);

/** As they are made elsewhere, so that they can be compared strictly. */
const PLAIN = { noNullPrototype: true };

const anyHeader: fc.Arbitrary<FrameHeader> = fc.oneof(
  fc.record({ type: fc.constant('boolean' as const), value: fc.boolean() }, PLAIN),
  fc.record({ type: fc.constant('byte' as const), value: fc.integer({ min: -128, max: 127 }) }, PLAIN),
  fc.record({ type: fc.constant('short' as const), value: fc.integer({ min: -32_768, max: 32_767 }) }, PLAIN),
  fc.record({ type: fc.constant('integer' as const), value: fc.integer() }, PLAIN),
  fc.record({ type: fc.constant('long' as const), value: fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n) }, PLAIN),
  // What a Date of the oracle can hold.
  fc.record({ type: fc.constant('timestamp' as const), value: fc.bigInt(0n, 8_640_000_000_000_000n) }, PLAIN),
  fc.record(
    {
      type: fc.constant('binary' as const),
      value: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
    },
    PLAIN,
  ),
  fc.record({ type: fc.constant('string' as const), value: fc.string({ unit: 'grapheme', maxLength: 40 }) }, PLAIN),
  fc.record({ type: fc.constant('uuid' as const), value: fc.uuid() }, PLAIN),
);

const anyFrame: fc.Arbitrary<Frame> = fc.record(
  {
    headers: fc
      .array(fc.tuple(fc.string({ minLength: 1, maxLength: 20 }), anyHeader), { maxLength: 4 })
      .map((pairs) => new Map(pairs.map(([name, header]) => [`:${name}`, header]))),
    payload: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  },
  PLAIN,
);

/** The oracle's name for the same value. */
function foreign(header: FrameHeader): MessageHeaderValue {
  if (header.type === 'long') {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64BE(header.value);
    return { type: 'long', value: new Int64(bytes) };
  }
  if (header.type === 'timestamp') return { type: 'timestamp', value: new Date(Number(header.value)) };
  return header as MessageHeaderValue;
}

function comparable(header: MessageHeaderValue): string {
  const { type, value } = header;
  if (value instanceof Int64) return `${type} ${Buffer.from(value.bytes).toString('hex')}`;
  if (value instanceof Date) return `${type} ${value.getTime()}`;
  if (value instanceof Uint8Array) return `${type} ${Buffer.from(value).toString('hex')}`;
  return `${type} ${String(value)}`;
}

const ONE = encodeFrame(
  new Map([[':event-type', { type: 'string', value: 'contentBlockDelta' }]]),
  Buffer.from('{"delta":{"text":"é"}}'),
);

t.test('property: what is written is read by another implementation, and the other way round', async (t) => {
  fc.assert(
    fc.property(anyFrame, ({ headers, payload }) => {
      const bytes = encodeFrame(headers, payload);
      const theirs = oracle.decode(bytes);
      t.ok(payload.equals(Buffer.from(theirs.body)), 'payload');
      t.equal(Object.keys(theirs.headers).length, headers.size);
      const told = new Map([...headers].map(([name, header]) => [name, comparable(foreign(header))]));
      for (const [name, value] of Object.entries(theirs.headers)) t.equal(comparable(value), told.get(name), name);
      const written = Object.fromEntries([...headers].map(([name, header]) => [name, foreign(header)]));
      const { frames, damage, whole } = cut([Buffer.from(oracle.encode({ headers: written, body: payload }))]);
      t.strictSame(damage, []);
      t.ok(whole);
      t.strictSame(frames, [{ headers, payload }]);
    }),
    { numRuns: 150 },
  );
});

t.test('property: any cutting gives the same frames', async (t) => {
  fc.assert(
    fc.property(fc.array(anyFrame, { maxLength: 4 }), fc.array(fc.nat(2000), { maxLength: 12 }), (frames, places) => {
      const bytes = Buffer.concat(frames.map(({ headers, payload }) => encodeFrame(headers, payload)));
      const ordered = [...new Set(places)].filter((place) => place < bytes.length).sort((a, b) => a - b);
      t.strictSame(cut(cutAt(bytes, ordered)), { frames, damage: [], whole: true });
    }),
    { numRuns: 150 },
  );
});

t.test('one byte at a time', async (t) => {
  const bytes = Buffer.concat([ONE, ONE]);
  const { frames, whole } = cut([...bytes].map((byte) => Buffer.from([byte])));
  t.equal(frames.length, 2);
  t.ok(whole);
});

t.test('every flipped bit is found, and ends the reading', async (t) => {
  const found: number[] = [];
  for (let bit = 0; bit < ONE.length * 8; bit += 1) {
    const bytes = Buffer.concat([ONE, ONE, ONE]);
    const at = ONE.length + (bit >> 3);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << (bit & 7));
    const { frames, damage, whole } = cut([bytes]);
    if (frames.length === 1 && damage.length === 1 && !whole) found.push(bit);
  }
  t.equal(found.length, ONE.length * 8);
});

t.test('property: a flipped bit is found in every cutting', async (t) => {
  fc.assert(
    fc.property(fc.nat(ONE.length * 8 - 1), fc.integer({ min: 1, max: 40 }), (bit, size) => {
      const bytes = Buffer.from(ONE);
      bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const places = Array.from({ length: Math.floor((bytes.length - 1) / size) }, (_, index) => (index + 1) * size);
      const { frames, damage, whole } = cut(cutAt(bytes, places));
      t.strictSame([frames.length, damage.length, whole], [0, 1, false]);
    }),
    { numRuns: 100 },
  );
});

t.test('a cut end', async (t) => {
  for (let length = 1; length < ONE.length; length += 1) {
    const { frames, damage, whole } = cut([ONE, ONE.subarray(0, length)]);
    t.strictSame([frames.length, damage.length, whole], [1, 0, false], `${length} bytes of the second frame`);
  }
  t.ok(cut([]).whole, 'no bytes are no damage');
});

/** Bytes with right checksums and lengths that cannot be. */
function forged(total: number, headersLength: number, rest: Buffer): Buffer {
  const bytes = Buffer.alloc(12 + rest.length + 4);
  bytes.writeUInt32BE(total, 0);
  bytes.writeUInt32BE(headersLength, 4);
  bytes.writeUInt32BE(crc32(bytes.subarray(0, 8)), 8);
  rest.copy(bytes, 12);
  bytes.writeUInt32BE(crc32(bytes.subarray(0, bytes.length - 4)), bytes.length - 4);
  return bytes;
}

t.test('lengths that cannot be', async (t) => {
  const text = (name: string) => Buffer.concat([Buffer.from([name.length]), Buffer.from(name)]);
  const cases: readonly (readonly [string, Buffer, RegExp])[] = [
    ['shorter than its own prelude', forged(15, 0, Buffer.alloc(0)), /claims 15/],
    ['above the bound', forged(MAX_FRAME + 1, 0, Buffer.alloc(0)), /claims/],
    ['headers longer than the frame', forged(20, 5, Buffer.alloc(4)), /longer/],
    ['a name that runs out', forged(18, 2, Buffer.from([9, 65])), /cannot be read/],
    ['a name without a value', forged(18, 2, Buffer.from([1, 65])), /cannot be read/],
    ['an unknown type', forged(19, 3, Buffer.from([1, 65, 10])), /cannot be read/],
    ['a string without its length', forged(20, 4, Buffer.from([1, 65, 7, 0])), /cannot be read/],
    ['a string that runs out', forged(22, 6, Buffer.from([1, 65, 7, 0, 2, 65])), /cannot be read/],
    ['a number that runs out', forged(21, 5, Buffer.concat([text('A'), Buffer.from([4, 0, 0])])), /cannot be read/],
  ];
  for (const [name, bytes, reason] of cases) {
    const { frames, damage, whole } = cut([bytes, ONE]);
    t.equal(frames.length, 0, name);
    t.match(damage, [reason], name);
    t.notOk(whole, name);
  }
});

t.test('a frame at the bound is read', async (t) => {
  const bytes = encodeFrame(new Map(), Buffer.alloc(MAX_FRAME - 16));
  const { frames, whole } = cut(cutAt(bytes, [5, 1_000_000]));
  t.equal(frames[0]?.payload.length, MAX_FRAME - 16);
  t.ok(whole);
});

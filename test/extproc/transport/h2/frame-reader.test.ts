import fc from 'fast-check';
import t from 'tap';
import { FrameReader, type FrameSink } from '../../../../src/extproc/transport/h2/frame-reader.js';
import { CODE, ConnectionError, FLAG, FRAME, PREFACE } from '../../../../src/extproc/transport/h2/protocol.js';
import { frame } from './raw-peer.js';

const LARGEST = 20_000;

/** What was read, as lines. */
class Lines implements FrameSink {
  readonly lines: string[] = [];
  #data = '';

  frame({ type, flags, stream, length }: Parameters<FrameSink['frame']>[0], payload: Buffer): void {
    this.lines.push(`${type} ${flags} ${stream} ${length} ${payload.toString('hex')}`);
  }

  dataBegins({ flags, stream, length }: Parameters<FrameSink['dataBegins']>[0]): void {
    this.#data = `data ${flags} ${stream} ${length} `;
  }

  data(chunk: Buffer, from: number, to: number): void {
    this.#data += chunk.toString('hex', from, to);
  }

  dataEnds(): void {
    this.lines.push(this.#data);
  }
}

function read(chunks: readonly Buffer[]): string[] {
  const sink = new Lines();
  const reader = new FrameReader(sink, LARGEST);
  for (const chunk of chunks) reader.push(chunk);
  return sink.lines;
}

const payload = fc.oneof(fc.uint8Array({ maxLength: 20 }), fc.uint8Array({ minLength: 300, maxLength: 400 }));
const anyFrame = fc
  .tuple(fc.constantFrom(0, 0, 0, 1, 4, 8, 9, 11, 200), fc.nat(255), fc.nat(1000), payload, fc.option(fc.nat(60)))
  .map(([type, flags, stream, bytes, padding]) => {
    const hex = Buffer.from(bytes).toString('hex');
    if (type > 9)
      return {
        bytes: frame(type, flags, stream, Buffer.from(bytes)),
        line: `${type} ${flags} ${stream} ${bytes.length} `,
      };
    if (type !== FRAME.data) {
      return {
        bytes: frame(type, flags, stream, Buffer.from(bytes)),
        line: `${type} ${flags} ${stream} ${bytes.length} ${hex}`,
      };
    }
    const padded = padding === null ? flags & ~FLAG.padded : flags | FLAG.padded;
    const around =
      padding === null ? Buffer.from(bytes) : Buffer.concat([Buffer.of(padding), bytes, Buffer.alloc(padding)]);
    return { bytes: frame(0, padded, stream, around), line: `data ${padded} ${stream} ${around.length} ${hex}` };
  });

t.test('property: the same frames under every cutting', async () => {
  fc.assert(
    fc.property(fc.array(anyFrame, { maxLength: 12 }), fc.array(fc.nat(), { maxLength: 60 }), (frames, cuts) => {
      const whole = Buffer.concat([PREFACE, ...frames.map(({ bytes }) => bytes)]);
      const places = cuts.map((place) => place % (whole.length + 1)).sort((a, b) => a - b);
      const chunks = [0, ...places].map((from, index) => Buffer.from(whole.subarray(from, places[index])));
      return read(chunks).join() === frames.map(({ line }) => line).join();
    }),
    { numRuns: 1500 },
  );
});

t.test('byte by byte', async (t) => {
  const whole = Buffer.concat([
    PREFACE,
    frame(FRAME.data, FLAG.padded, 1, Buffer.from([3, 7, 8, 0, 0, 0])),
    frame(FRAME.data, FLAG.padded, 1, Buffer.from([2, 0, 0])),
    frame(FRAME.data, 1, 3),
    frame(FRAME.settings, 0, 0),
    frame(99, 0, 0, 'unknown'),
    frame(FRAME.ping, 0, 0, '12345678'),
  ]);
  const lines = ['data 8 1 6 0708', 'data 8 1 3 ', 'data 1 3 0 ', '4 0 0 0 ', '99 0 0 7 ', '6 0 0 8 3132333435363738'];
  t.same(read([whole]), lines);
  t.same(read(Array.from(whole, (byte) => Buffer.of(byte))), lines);
});

t.test('what is refused', async (t) => {
  const CASES: Readonly<Record<string, readonly [Buffer, number]>> = {
    'another protocol': [Buffer.from('GET / HTTP/1.1\r\n\r\n'), CODE.protocol],
    'a frame that is too large': [Buffer.concat([PREFACE, frame(0, 0, 1, Buffer.alloc(LARGEST + 1))]), CODE.frameSize],
    'padding longer than its frame': [Buffer.concat([PREFACE, frame(0, 8, 1, Buffer.of(2, 0))]), CODE.protocol],
    'padding in an empty frame': [Buffer.concat([PREFACE, frame(0, 8, 1), frame(4, 0, 0)]), CODE.protocol],
  };
  for (const [name, [bytes, code]] of Object.entries(CASES)) t.throws(() => read([bytes]), { code }, name);
  t.throws(
    () => new FrameReader(new Lines(), 1e6).push(Buffer.concat([PREFACE, frame(1, 4, 1, Buffer.alloc(70_000))])),
    {
      code: CODE.enhanceYourCalm,
    },
  );
});

t.test('property: any bytes end in an error of ours, or wait', async () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 60 })), (chunks) => {
      try {
        read([PREFACE, ...chunks.map((chunk) => Buffer.from(chunk))]);
      } catch (error) {
        return error instanceof ConnectionError;
      }
      return true;
    }),
    { numRuns: 1500 },
  );
});

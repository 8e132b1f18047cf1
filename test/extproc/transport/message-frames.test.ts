import fc from 'fast-check';
import t from 'tap';
import { FrameError, MessageFrames } from '../../../src/extproc/transport/message-frames.js';

function frame(message: Buffer): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

function read(chunks: readonly Buffer[], largest = 1e6): { messages: Buffer[]; between: boolean } {
  const messages: Buffer[] = [];
  const frames = new MessageFrames(largest, { message: (bytes) => messages.push(bytes) });
  for (const chunk of chunks) frames.push(chunk);
  return { messages, between: frames.between };
}

t.test('property: the same messages under every cutting', async () => {
  const message = fc.oneof(fc.uint8Array({ maxLength: 30 }), fc.uint8Array({ minLength: 900, maxLength: 1000 }));
  fc.assert(
    fc.property(fc.array(message, { maxLength: 10 }), fc.array(fc.nat(), { maxLength: 40 }), (said, cuts) => {
      const messages = said.map((bytes) => Buffer.from(bytes));
      const whole = Buffer.concat(messages.map(frame));
      const places = cuts.map((place) => place % (whole.length + 1)).sort((a, b) => a - b);
      const chunks = [0, ...places].map((from, index) => Buffer.from(whole.subarray(from, places[index])));
      const { messages: got, between } = read(chunks);
      return between && got.length === messages.length && got.every((each, index) => messages[index]?.equals(each));
    }),
    { numRuns: 2000 },
  );
});

t.test('property: bytes that are no frames end in an error of ours, or wait', async () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 40 })), (chunks) => {
      try {
        read(
          chunks.map((chunk) => Buffer.from(chunk)),
          1000,
        );
      } catch (error) {
        return error instanceof FrameError && (error.code === 8 || error.code === 12);
      }
      return true;
    }),
    { numRuns: 1000 },
  );
});

t.test('between messages or within one', async (t) => {
  const bytes = frame(Buffer.from('message'));
  for (let length = 0; length <= bytes.length; length += 1) {
    t.equal(read([bytes.subarray(0, length)]).between, length === 0 || length === bytes.length, `${length} bytes`);
  }
});

t.test('a message stays as it is when its chunk’s memory is used again', async (t) => {
  const [small, large] = [Buffer.from('small'), Buffer.alloc(50_000, 'x')];
  const bytes = Buffer.concat([small, large, large].map(frame));
  for (const size of [3, 5_000, 60_000, bytes.length]) {
    const messages: Buffer[] = [];
    const frames = new MessageFrames(1e6, { message: (bytes) => messages.push(bytes) });
    const memory = Buffer.alloc(size);
    for (let at = 0; at < bytes.length; at += size) {
      frames.push(memory, 0, bytes.copy(memory, 0, at, at + size));
      memory.fill(0);
    }
    t.ok(
      [small, large, large].every((said, index) => messages[index]?.equals(said)),
      `${size} bytes`,
    );
    t.equal(messages[1]?.buffer.byteLength, large.length, 'a large one has its memory for itself');
  }
});

t.test('the largest message', async (t) => {
  t.equal(read([frame(Buffer.alloc(100))], 100).messages.length, 1);
  t.throws(() => read([frame(Buffer.alloc(101)).subarray(0, 5)], 100), { code: 8 }, 'known from its prefix');
});

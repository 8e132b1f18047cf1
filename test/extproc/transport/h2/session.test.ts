import fc from 'fast-check';
import t, { type Test } from 'tap';
import { CODE, FLAG, FRAME, PREFACE, SETTING } from '../../../../src/extproc/transport/h2/protocol.js';
import { eventually } from '../../../eventually.js';
import { framed, type Started, startEcho } from '../echo.js';
import {
  block,
  type Frame,
  frame,
  GREETING,
  integer,
  literal,
  RawPeer,
  REQUEST,
  SETTINGS,
  setting,
  text,
  uint32,
} from './raw-peer.js';

const END = FLAG.endHeaders | FLAG.endStream;
const request = (stream: number): Buffer => frame(FRAME.headers, FLAG.endHeaders, stream, REQUEST);
const one = framed('one');

function connected(t: Test, started: Started, ...bytes: readonly Buffer[]): RawPeer {
  const peer = new RawPeer(started.socket);
  t.teardown(() => peer.socket.destroy());
  peer.write(...bytes);
  return peer;
}

const isEnd =
  (stream: number) =>
  (each: Frame): boolean =>
    each.stream === stream && each.type === 1 && (each.flags & 1) === 1;

function dataOf(peer: RawPeer, stream: number): Buffer {
  return Buffer.concat(
    peer.frames.filter((each) => each.type === 0 && each.stream === stream).map(({ payload }) => payload),
  );
}

/** Nothing may be answered. */
const noWindow = [PREFACE, frame(4, 0, 0, setting(SETTING.initialWindowSize, 0))];

const BROKEN: Readonly<Record<string, readonly [code: number, ...bytes: Buffer[]]>> = {
  'no settings first': [CODE.protocol, PREFACE, request(1)],
  'an acknowledgement first': [CODE.protocol, PREFACE, frame(4, FLAG.ack, 0)],
  'data first': [CODE.protocol, PREFACE, frame(0, 0, 1, 'x')],
  'settings of a stream': [CODE.protocol, GREETING, frame(4, 0, 1)],
  'settings that are cut': [CODE.frameSize, GREETING, frame(4, 0, 0, 'abc')],
  'an acknowledgement that says something': [CODE.frameSize, GREETING, frame(4, 1, 0, setting(1, 1))],
  'a window that is too wide': [CODE.flowControl, PREFACE, frame(4, 0, 0, setting(SETTING.initialWindowSize, 2 ** 31))],
  'frames that are too small': [CODE.protocol, PREFACE, frame(4, 0, 0, setting(SETTING.maxFrameSize, 16_383))],
  'frames that are too large': [CODE.protocol, PREFACE, frame(4, 0, 0, setting(SETTING.maxFrameSize, 2 ** 24))],
  'pushing that is neither on nor off': [CODE.protocol, PREFACE, frame(4, 0, 0, setting(SETTING.enablePush, 2))],
  'windows that become too wide': [
    CODE.flowControl,
    ...[GREETING, request(1), frame(8, 0, 1, uint32(2 ** 31 - 65_536)), frame(4, 0, 0, setting(4, 65_536))],
  ],
  'a ping of a stream': [CODE.protocol, GREETING, frame(6, 0, 1, '12345678')],
  'a short ping': [CODE.frameSize, GREETING, frame(6, 0, 0, '1234567')],
  'a push': [CODE.protocol, GREETING, frame(5, 4, 1, Buffer.alloc(8))],
  'a short priority': [CODE.frameSize, GREETING, frame(2, 0, 1, '1234')],
  'a reset of nothing': [CODE.protocol, GREETING, frame(3, 0, 1, uint32(8))],
  'a reset of the connection': [CODE.protocol, GREETING, frame(3, 0, 0, uint32(8))],
  'a short reset': [CODE.frameSize, GREETING, request(1), frame(3, 0, 1, 'abc')],
  'a window of the connection by nothing': [CODE.protocol, GREETING, frame(8, 0, 0, uint32(0))],
  'a window of the connection too wide': [CODE.flowControl, GREETING, frame(8, 0, 0, uint32(2 ** 31 - 1))],
  'a window of no stream': [CODE.protocol, GREETING, frame(8, 0, 5, uint32(1))],
  'data of no stream': [CODE.protocol, GREETING, frame(0, 0, 1, 'x')],
  'data of the connection': [CODE.protocol, GREETING, frame(0, 0, 0, 'x')],
  'data after the end': [CODE.streamClosed, ...noWindow, request(1), frame(0, 1, 1, one), frame(0, 0, 1, one)],
  'headers of the connection': [CODE.protocol, GREETING, frame(1, END, 0, REQUEST)],
  'headers of a stream of ours': [CODE.protocol, GREETING, frame(1, END, 2, REQUEST)],
  'headers again': [CODE.protocol, GREETING, request(1), request(1)],
  'padding of headers': [CODE.protocol, GREETING, frame(1, END | FLAG.padded, 1, Buffer.of(9, 0x82))],
  'headers that cannot be decoded': [CODE.compression, GREETING, frame(1, END, 1, Buffer.of(0xff, 0xff))],
  'a continuation of nothing': [CODE.protocol, GREETING, frame(9, 4, 1, REQUEST)],
  'another frame within headers': [CODE.protocol, GREETING, frame(1, 0, 1, REQUEST), frame(6, 0, 0, '12345678')],
  'data within headers': [CODE.protocol, GREETING, request(1), frame(1, 0, 3, REQUEST), frame(0, 0, 1, 'x')],
  'a continuation of another stream': [CODE.protocol, GREETING, frame(1, 0, 1, REQUEST), frame(9, 4, 3, REQUEST)],
  'headers without an end': [CODE.enhanceYourCalm, GREETING, frame(1, 0, 1), ...Array(20).fill(frame(9, 0, 1))],
  'headers that are too long': [
    CODE.enhanceYourCalm,
    GREETING,
    frame(1, 0, 1, Buffer.alloc(40_000)),
    frame(9, 0, 1, Buffer.alloc(40_000)),
  ],
  'more bytes than a stream may bring': [
    CODE.flowControl,
    ...noWindow,
    request(1),
    ...Array(25).fill(frame(0, 0, 1, framed(Buffer.alloc(200_000)))),
  ],
  'a flood of pings': [CODE.enhanceYourCalm, GREETING, ...Array(10_001).fill(frame(6, FLAG.ack, 0, '12345678'))],
  'a flood of settings': [CODE.enhanceYourCalm, GREETING, ...Array(10_001).fill(frame(4, FLAG.ack, 0))],
  'a flood of empty data': [CODE.enhanceYourCalm, GREETING, request(1), ...Array(10_001).fill(frame(0, 0, 1))],
  'a flood of unknown frames': [CODE.enhanceYourCalm, GREETING, ...Array(10_001).fill(frame(77, 0, 0))],
};

t.test('a peer that breaks the protocol is told so, and ends alone', async (t) => {
  const started = await startEcho(t, 'net');
  const other = connected(t, started, GREETING, request(1), frame(0, 0, 1, one));
  await other.until('an answer', ({ type }) => type === FRAME.data);
  for (const [name, [code, ...bytes]] of Object.entries(BROKEN)) {
    t.equal(await connected(t, started, ...bytes).goaway(), code, name);
  }
  t.equal(started.faults.length, Object.keys(BROKEN).length, 'each is told');
  await eventually('no stream is left', () => started.transport.streams() === 1);
  other.write(frame(0, 1, 1, one));
  await other.until('its good end', isEnd(1));
});

t.test('what is no error', async (t) => {
  const started = await startEcho(t, 'net');
  const priority = frame(
    1,
    FLAG.priority | FLAG.padded | FLAG.endHeaders,
    1,
    Buffer.concat([Buffer.of(2), uint32(0), Buffer.of(9), REQUEST, Buffer.alloc(2)]),
  );
  const cut = [
    frame(1, 0, 3, REQUEST.subarray(0, 20)),
    frame(9, 0, 3, REQUEST.subarray(20, 21)),
    frame(9, 4, 3, REQUEST.subarray(21)),
  ];
  const peer = connected(
    t,
    started,
    ...[GREETING, frame(4, 1, 0), frame(2, 0, 7, Buffer.alloc(5)), frame(99, 255, 0, 'unknown'), frame(99, 0, 1)],
    ...[priority, frame(0, FLAG.padded, 1, Buffer.concat([Buffer.of(5), one, Buffer.alloc(5)]))],
    ...[...cut, frame(0, 1, 3, one), frame(1, END, 1, literal('x-trailer', '1'))],
    ...[frame(0, 0, 1, 'late'), frame(8, 0, 1, uint32(5)), frame(3, 0, 1, uint32(8)), frame(1, END, 1, REQUEST)],
    ...[frame(7, 0, 0, Buffer.alloc(8)), frame(4, 0, 0, setting(99, 1)), frame(6, 0, 0, '12345678')],
  );
  await peer.until(
    'the answer to the ping',
    ({ type, flags, payload }) => type === 6 && flags === 1 && String(payload) === '12345678',
  );
  await peer.until('the end of 1', isEnd(1));
  await peer.until('the end of 3', isEnd(3));
  t.equal(dataOf(peer, 1).length, dataOf(peer, 3).length);
  t.equal(peer.frames.filter(({ type, flags }) => type === 4 && flags === 1).length, 2, 'settings are acknowledged');
  t.notOk(peer.frames.some(({ type }) => type === FRAME.goaway || type === FRAME.rstStream));
  t.same(started.faults, []);
});

t.test('a stream that cannot be ends alone', async (t) => {
  const started = await startEcho(t, 'net');
  const grpc = { ':method': 'POST', ':path': '/', 'content-type': 'application/grpc' };
  const WRONG: readonly Readonly<Record<string, string>>[] = [
    { ':method': 'POST' },
    { ':path': '/' },
    { ...grpc, ':other': '1' },
    { ...grpc, 'Upper-Case': '1' },
    { ...grpc, connection: 'close' },
    { ':method': 'POST', 'x-early': '1', ':path': '/' },
  ];
  const peer = connected(
    t,
    started,
    GREETING,
    ...WRONG.map((fields, index) => frame(1, END, 2 * index + 1, block(fields))),
  );
  peer.write(frame(1, END, 99, Buffer.concat([block(grpc), literal(':path', '/again')])));
  for (const stream of [...WRONG.keys()].map((index) => 2 * index + 1).concat(99)) {
    const reset = await peer.until(
      `a reset of ${stream}`,
      (each) => each.type === FRAME.rstStream && each.stream === stream,
    );
    t.equal(reset.payload.readUInt32BE(0), CODE.protocol);
  }
  peer.write(request(101), frame(0, 0, 101, one), frame(8, 0, 101, uint32(0)));
  const zero = await peer.until('a reset', (each) => each.type === FRAME.rstStream && each.stream === 101);
  t.equal(zero.payload.readUInt32BE(0), CODE.protocol, 'a window update by nothing');
  peer.write(request(103), frame(8, 0, 103, uint32(2 ** 31 - 1)));
  const wide = await peer.until('a reset', (each) => each.type === FRAME.rstStream && each.stream === 103);
  t.equal(wide.payload.readUInt32BE(0), CODE.flowControl, 'a window that is too wide');
  peer.write(request(105), frame(0, 1, 105, one));
  await peer.until('the next goes on', isEnd(105));
  t.equal(started.transport.streams(), 0);
});

t.test('answers wait for windows, of the stream, of the connection, and for settings', async (t) => {
  const started = await startEcho(t, 'net');
  const small = frame(4, 0, 0, setting(SETTING.initialWindowSize, 10));
  const peer = connected(
    t,
    started,
    PREFACE,
    small,
    request(1),
    frame(0, 1, 1, framed('x'.repeat(50))),
    request(3),
    frame(0, 1, 3, framed('y')),
  );
  await eventually('both answers have begun', () => dataOf(peer, 1).length === 10 && dataOf(peer, 3).length === 10);
  peer.write(frame(8, 0, 1, uint32(3)));
  await eventually('three bytes more', () => dataOf(peer, 1).length === 13);
  peer.write(
    frame(4, 0, 0, setting(SETTING.initialWindowSize, 5)),
    frame(8, 0, 1, uint32(4)),
    frame(6, 0, 0, 'windows?'),
  );
  await peer.until('a ping', ({ type, flags }) => type === 6 && flags === 1);
  t.equal(dataOf(peer, 1).length, 13, 'the window is below 0');
  peer.write(frame(4, 0, 0, setting(SETTING.initialWindowSize, 65_535)));
  await peer.until('the end of 1', isEnd(1));
  await peer.until('the end of 3', isEnd(3));
  t.ok(dataOf(peer, 1).includes('x'.repeat(50)));

  const three = ['a', 'b', 'c'].map((letter) => framed(letter.repeat(40_000)));
  peer.write(
    ...three.flatMap((bytes, index) => [
      request(5 + 2 * index),
      ...cutInto(bytes, 16_000).map((piece) => frame(0, 0, 5 + 2 * index, piece)),
    ]),
  );
  await eventually(
    'the connection is full',
    () => [1, 3, 5, 7, 9].reduce((sum, id) => sum + dataOf(peer, id).length, 0) === 65_535,
  );
  t.equal(dataOf(peer, 9).length, 0, 'the last one waits');
  const beyond = peer.frames.filter(({ type, payload }) => type === 0 && payload.length > 16_384);
  t.same(beyond, [], 'no frame above what the peer takes');
  peer.write(frame(8, 0, 0, uint32(200_000)), ...[5, 7, 9].map((id) => frame(0, 1, id)));
  for (const id of [5, 7, 9]) await peer.until(`the end of ${id}`, isEnd(id));
  t.ok(dataOf(peer, 9).includes('c'.repeat(40_000)));
  peer.write(request(11), frame(0, 0, 11, framed('x'.repeat(100_000)).subarray(0, 50)), frame(3, 0, 11, uint32(8)));
  await eventually('no stream is left', () => started.transport.streams() === 0);
  t.same(started.faults, []);
});

function cutInto(bytes: Buffer, size: number): Buffer[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
    bytes.subarray(index * size, (index + 1) * size),
  );
}

t.test('many small answers are one frame', async (t) => {
  const started = await startEcho(t, 'net');
  const peer = connected(t, started, GREETING, request(1), frame(0, 1, 1, Buffer.concat(Array(500).fill(one))));
  await peer.until('the end', isEnd(1));
  t.equal(peer.frames.filter(({ type }) => type === FRAME.data).length, 1);
});

t.test('a connection that is not read is not read from', async (t) => {
  const started = await startEcho(t, 'net');
  const wide = frame(4, 0, 0, setting(SETTING.initialWindowSize, 2 ** 31 - 1));
  const peer = connected(t, started, PREFACE, wide, frame(8, 0, 0, uint32(1e9)), request(1));
  peer.socket.pause();
  const message = framed('x'.repeat(10_000));
  for (let index = 0; index < 800; index += 1) peer.write(frame(0, 0, 1, message));
  let before = -1;
  await eventually('nothing is taken any more', () => {
    const still = peer.socket.writableLength === before;
    before = peer.socket.writableLength;
    return still;
  });
  t.ok(before > 4e6, `${before} bytes wait`);
  peer.socket.resume();
  peer.write(frame(0, 1, 1));
  await peer.until('the end', isEnd(1));
  t.ok(dataOf(peer, 1).length > 800 * 10_000, 'and goes on');
});

t.test('small answers pass large ones, which take turns', async (t) => {
  const started = await startEcho(t, 'net');
  const wide = frame(4, 0, 0, setting(SETTING.initialWindowSize, 2 ** 31 - 1));
  const peer = connected(t, started, PREFACE, wide, frame(8, 0, 0, uint32(1e9)));
  peer.socket.pause();
  const large = framed('x'.repeat(3_900_000));
  for (const id of [1, 3]) {
    peer.write(request(id), ...cutInto(large, 16_000).map((piece) => frame(0, 0, id, piece)));
  }
  peer.write(request(5), frame(0, 1, 5, one));
  await eventually('all was asked', () => peer.socket.writableLength === 0);
  peer.socket.resume();
  for (const id of [1, 3]) peer.write(frame(0, 1, id));
  for (const id of [1, 3, 5]) await peer.until(`the end of ${id}`, isEnd(id));
  const data = peer.frames.filter(({ type }) => type === FRAME.data);
  const before = (id: number, at: number): number =>
    data.slice(0, at).reduce((sum, { stream, payload }) => (stream === id ? sum + payload.length : sum), 0);
  const small = data.findIndex(({ stream }) => stream === 5);
  t.ok(before(1, small) + before(3, small) < 2e6, 'the small one waits for what was on its way');
  const last = data.findLastIndex(({ stream }) => stream === 1);
  t.ok(before(3, last) > 2e6, 'neither large one waits for the other');
  t.ok(dataOf(peer, 1).length > 3_900_000 && dataOf(peer, 3).length > 3_900_000, 'and both are whole');
});

t.test('a peer that leaves before its answers', async (t) => {
  const started = await startEcho(t, 'net');
  for (let index = 0; index < 20; index += 1) {
    const peer = connected(
      t,
      started,
      GREETING,
      frame(1, 4, 1, blockOf('later')),
      frame(0, 0, 1, Buffer.concat([one, one])),
    );
    if (index % 2 === 0) peer.socket.end();
    else peer.socket.destroySoon();
    await peer.untilClosed();
  }
  await eventually('all are over', () => started.transport.streams() === 0);
  t.ok(started.closed.length >= 10, 'those that only end are heard');
  t.same(started.faults, []);
});

t.test('windows are given back', async (t) => {
  const started = await startEcho(t, 'net');
  const peer = connected(t, started, GREETING, frame(1, 4, 1, blockOf('silent')));
  const piece = frame(0, 0, 1, Buffer.concat([framed('x'.repeat(15_000))]));
  for (let sent = 0; sent < 12e6; sent += 15_000) {
    if (!peer.socket.write(piece)) await new Promise((resolve) => peer.socket.once('drain', resolve));
    // An honest peer would wait for its window.
    if (sent % 1_500_000 === 0) await new Promise(setImmediate);
  }
  await eventually('updates', () => peer.frames.filter(({ type, stream }) => type === 8 && stream === 1).length >= 20);
  t.ok(peer.frames.filter(({ type }) => type === 8).length < 30, 'in large steps');
  t.same(started.faults, []);
});

function blockOf(role: string): Buffer {
  const echo = literal('role', 'echo');
  return Buffer.concat([REQUEST.subarray(0, REQUEST.length - echo.length), literal('role', role)]);
}

t.test('a stop: what was sent before the goodbye is served, later streams are refused', async (t) => {
  const started = await startEcho(t, 'net');
  const idle = connected(t, started);
  const peer = connected(t, started, GREETING, request(1), frame(0, 0, 1, one));
  await peer.until('an answer', ({ type }) => type === FRAME.data);
  const stopped = started.transport.stop(60_000);
  const goodbye = await peer.until('a goodbye', ({ type }) => type === FRAME.goaway);
  t.equal(goodbye.payload.readUInt32BE(0), 2 ** 31 - 1);
  const ping = await peer.until('a ping', ({ type, flags }) => type === FRAME.ping && flags === 0);
  peer.write(request(3), frame(0, 1, 3, one), frame(6, FLAG.ack, 0, ping.payload), request(5), frame(0, 1, 5, one));
  await peer.until('the end of 3', isEnd(3));
  const refused = await peer.until('a reset of 5', ({ type, stream }) => type === FRAME.rstStream && stream === 5);
  t.equal(refused.payload.readUInt32BE(0), CODE.refusedStream);
  peer.write(frame(0, 1, 1, one));
  await peer.until('the end of 1', isEnd(1));
  t.equal(await peer.goaway(), CODE.none, 'and the connection ends');
  await idle.untilClosed();
  await stopped;
});

/** Frames as a peer may send them, in any order and with any mistake. */
const anyFrame = fc.oneof(
  fc.nat(8).map((index) => request(2 * index + 1)),
  fc.tuple(fc.nat(8), fc.boolean()).map(([index, ends]) => frame(0, ends ? 1 : 0, 2 * index + 1, one)),
  fc.nat(8).map((index) => frame(3, 0, 2 * index + 1, uint32(8))),
  fc.tuple(fc.nat(8), fc.nat(100)).map(([stream, bytes]) => frame(8, 0, stream, uint32(bytes))),
  fc.nat(100_000).map((size) => frame(4, 0, 0, setting(SETTING.initialWindowSize, size))),
  fc.constant(frame(6, 0, 0, '12345678')),
  fc
    .tuple(fc.nat(10), fc.nat(255), fc.nat(9), fc.uint8Array({ maxLength: 30 }))
    .map(([type, flags, stream, bytes]) => frame(type, flags, stream, Buffer.from(bytes))),
  fc.constant(frame(1, 4, 15, Buffer.concat([Buffer.of(0x40), text('role'), text('echo'), integer(62, 7, 0x80)]))),
);

t.test('property: no bytes make it throw, hang or keep a stream', async (t) => {
  const started = await startEcho(t, 'net');
  await fc.assert(
    fc.asyncProperty(
      fc.array(anyFrame, { maxLength: 25 }),
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }),
      async (frames, flips) => {
        const bytes = Buffer.concat([SETTINGS, ...frames]);
        for (const [place, value] of flips) bytes[place % bytes.length] = value;
        const peer = connected(t, started, PREFACE, bytes);
        peer.socket.end();
        await peer.untilClosed();
        await eventually('no stream is left', () => started.transport.streams() === 0);
      },
    ),
    { numRuns: 150 },
  );
  t.notOk(
    started.faults.some((fault) => !/connection: Error|message: RangeError/.test(fault)),
    started.faults.join('\n').slice(0, 500),
  );
  const alive = connected(t, started, GREETING, request(1), frame(0, 1, 1, one));
  await alive.until('an answer', isEnd(1));
});

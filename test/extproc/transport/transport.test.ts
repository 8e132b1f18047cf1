import { once } from 'node:events';
import { connect as connectSocket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { STATUS } from '../../../src/extproc/grpc-status.js';
import { readTransport, type TransportName, transportNamed } from '../../../src/extproc/transport/choose.js';
import { eventually } from '../../eventually.js';
import { freePort } from '../../servers/free-port.js';
import { framed, type Heard, hear, LARGEST, openRaw, type Started, startEcho, writeCut } from './echo.js';

/** One table for every transport: what Envoy may rely on, over sockets, by a client that frames by hand. */
const CASES: Readonly<Record<string, (t: Test, started: Started, name: TransportName) => Promise<void>>> = {
  'a message each way, then a good end': async (t, started) => {
    const heard = await talk(started, [framed('one'), framed('two')]);
    t.same(heard.bodies, ['one', 'two']);
    t.match(heard, { status: 200, code: STATUS.OK, headers: { 'content-type': 'application/grpc' } });
    t.equal(heard.headers['grpc-status'], undefined, 'the status comes last');
    t.same(started.closed, ['echo']);
  },
  'frames cut at every byte': async (t, started) => {
    const bytes = Buffer.concat(['', 'one', 'x'.repeat(20)].map(framed));
    const session = started.connect();
    const all = await Promise.all(
      Array.from({ length: bytes.length + 1 }, (_, at) => say(session, [bytes.subarray(0, at), bytes.subarray(at)])),
    );
    t.ok(all.every(({ bodies, code }) => code === 0 && bodies.join() === `,one,${'x'.repeat(20)}`));
    const single = await say(
      session,
      Array.from(bytes, (byte) => Buffer.of(byte)),
    );
    t.same(single.bodies, ['', 'one', 'x'.repeat(20)], 'byte by byte');
  },
  'many messages in one frame': async (t, started, name) => {
    const texts = Array.from({ length: 200 }, (_, index) => `message ${index}`);
    const heard = await talk(started, [Buffer.concat(texts.map(framed))]);
    t.same(heard.bodies, texts);
    if (name !== 'grpc-js') t.ok(heard.chunks < 20, `answers leave together: ${heard.chunks} frames`);
    const stream = openRaw(started.connect(), { role: 'later' });
    stream.write(Buffer.concat(texts.map(framed)));
    t.same((await hear(stream, texts.length)).bodies, texts, 'answered in other turns');
  },
  'large messages': async (t, started) => {
    const sizes = [16_000, 17_000, 70_000, 1_500_000, LARGEST - 100];
    const texts = sizes.map((size, index) => String(index).repeat(size));
    const heard = await talk(started, texts.map(framed));
    t.same(
      heard.bodies.map((body) => body.length),
      sizes,
    );
    t.ok(heard.bodies.every((body, index) => body === texts[index]));
  },
  'messages that are not taken': async (t, started, name) => {
    const giant = Buffer.from([0, ...lengthBytes(LARGEST + 1)]);
    const compressed = Buffer.concat([Buffer.of(1), framed('one').subarray(1)]);
    const garbage = Buffer.from([0, 0, 0, 0, 3, 0xff, 0xff, 0xff]);
    t.equal((await talk(started, [framed('one'), giant], 'echo', false)).code, STATUS.RESOURCE_EXHAUSTED);
    // grpc-js takes a message that is marked compressed as it is where the stream names no compression.
    t.equal((await talk(started, [compressed])).code, name !== 'grpc-js' ? STATUS.UNIMPLEMENTED : STATUS.OK);
    t.match(await talk(started, [garbage, framed('one')], 'echo', false), { bodies: [], code: STATUS.INTERNAL });
    await eventually('handlers know the end', () => started.closed.length === 3);
    t.equal((await talk(started, [framed('one')])).code, 0, 'other streams go on');
  },
  'the end before a message, and within one': async (t, started) => {
    t.match(await talk(started, []), { bodies: [], code: 0 });
    const cut = await talk(started, [framed('one').subarray(0, 7)]);
    t.same(cut.bodies, []);
    await eventually('handlers know the end', () => started.closed.length === 2);
  },
  'unknown methods, types and roles': async (t, started) => {
    const session = started.connect();
    const ask = (more: Readonly<Record<string, string>>) => say(session, [framed('one')], more, false);
    t.match(await ask({ ':path': '/envoy.service.ext_proc.v3.ExternalProcessor/Other' }), {
      code: STATUS.UNIMPLEMENTED,
    });
    t.match(await ask({ ':path': '/' }), { code: STATUS.UNIMPLEMENTED });
    t.match(await ask({ 'content-type': 'application/json' }), { status: 415, code: null });
    t.match(await ask({ role: 'nobody' }), { code: STATUS.INVALID_ARGUMENT });
    t.match(await ask({ role: '' }), { code: STATUS.INVALID_ARGUMENT });
    t.match(
      await ask({ routes: 'nowhere' }),
      { code: STATUS.INVALID_ARGUMENT },
      'what Envoy says of its routes is told',
    );
    t.match(await ask({ routes: 'leave', role: 'nobody' }), { code: 0, bodies: ['one'] });
    const more = { 'role-bin': 'AAAA', 'x-other': '1', 'grpc-timeout': '1H', 'grpc-accept-encoding': 'gzip' };
    t.match(await say(session, [framed('one')], more), { code: 0, bodies: ['one'] }, 'unknown metadata is left');
  },
  'ends by the handler': async (t, started) => {
    t.match(await talk(started, [framed('one')], 'leave', false), { code: 0, bodies: ['one'] });
    const failed = await talk(started, [framed('one')], 'fail', false);
    t.match(
      failed,
      { status: 200, code: STATUS.UNAVAILABLE, trailers: null },
      'in the headers, with nothing before it',
    );
    t.equal(decodeURIComponent(String(failed.headers['grpc-message'])), '100 % größer');
    t.match(await talk(started, [framed('one')], 'answerAndFail', false), { code: STATUS.UNAVAILABLE });
    t.same(started.closed, ['leave', 'fail', 'answerAndFail']);
    t.same(started.faults, []);
  },
  'an exception ends its stream alone': async (t, started) => {
    const session = started.connect();
    const good = openRaw(session);
    const heard = hear(good);
    good.write(framed('before'));
    const bad = await say(session, [framed('one'), framed('two')], { role: 'mistaken' }, false);
    t.match(bad, { code: STATUS.INTERNAL, bodies: [] });
    t.equal((await say(session, [], { role: 'mistaken at the end' })).code, 0);
    good.end(framed('after'));
    t.match(await heard, { bodies: ['before', 'after'], code: 0 });
    t.same(started.faults, ['message: Error: mistake', 'closing a stream: Error: mistake']);
  },
  'resets in the middle': async (t, started) => {
    const session = started.connect();
    const long = openRaw(session);
    const heard = hear(long);
    long.write(framed('begin'));
    const half = openRaw(session, { role: 'silent' });
    half.write(framed('one').subarray(0, 9));
    await eventually('both are open', () => started.transport.streams() === 2);
    half.close(8);
    await eventually('one is left', () => started.transport.streams() === 1);
    t.same(started.closed, ['silent']);
    const late = openRaw(session, { role: 'later' });
    late.write(framed('one'), () => late.close(8));
    await once(late, 'close');
    // More than Node allows to a client by itself.
    for (let round = 0; round < 50; round += 1) {
      await Promise.all(Array.from({ length: 50 }, () => brokenOff(openRaw(session))));
    }
    long.end(framed('end'));
    t.match(await heard, { bodies: ['begin', 'end'], code: 0 }, 'the long stream never noticed');
    await eventually('all are over', () => started.transport.streams() === 0);
    t.equal(started.closed.length, 2503);
    t.same(started.faults, []);
  },
  'a client that does not read': async (t, started, name) => {
    const lazy = openRaw(started.connect());
    lazy.pause();
    const piece = framed('x'.repeat(60_000));
    let taken = 0;
    const writeNext = (): void => {
      taken += 1;
      if (taken < 400) lazy.write(piece, writeNext);
      else lazy.end();
    };
    lazy.write(piece, writeNext);
    await eventually('some are read', () => taken > 20);
    t.match(await talk(started, [framed('one')]), { bodies: ['one'], code: 0 }, 'others are served');
    if (name !== 'grpc-js') {
      await pause(200);
      t.ok(taken < 200, `reading stops: ${taken} of 400 messages taken`);
    } else await eventually('grpc-js keeps all answers in memory', () => taken === 400);
    const heard = hear(lazy);
    lazy.resume();
    const { bodies, code } = await heard;
    t.equal(bodies.length, 400, 'and goes on when the answers were taken');
    t.equal(code, 0);
  },
  'a client that does not read, and leaves': async (_t, started) => {
    const lazy = openRaw(started.connect());
    lazy.pause();
    for (let index = 0; index < 100; index += 1) lazy.write(framed('x'.repeat(60_000)));
    await eventually('open', () => started.transport.streams() === 1);
    lazy.close(8);
    await eventually('over', () => started.closed.length === 1 && started.transport.streams() === 0);
  },
  'a connection that breaks': async (t, started) => {
    const session = started.connect();
    for (let index = 0; index < 20; index += 1) openRaw(session).write(framed('one'));
    await eventually('all are open', () => started.transport.streams() === 20);
    session.destroy();
    await eventually('all are over', () => started.closed.length === 20);
    t.equal((await talk(started, [framed('one')])).code, 0);
    t.same(started.faults, []);
  },
  'bytes that are no HTTP/2': async (t, started) => {
    for (const bytes of [
      'GET / HTTP/1.1\r\nhost: x\r\n\r\n',
      'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\xff\xff\xff\xff\xff',
      '',
    ]) {
      const socket = connectSocket(started.socket).on('error', () => undefined);
      socket.resume().end(bytes, 'latin1');
      await once(socket, 'close');
    }
    t.equal((await talk(started, [framed('one')])).code, 0);
  },
  'a stop lets streams finish': async (t, started) => {
    const session = started.connect();
    const stream = openRaw(session);
    const heard = hear(stream);
    stream.write(framed('before'));
    await once(stream, 'data');
    const goaway = once(session, 'goaway');
    const stopped = started.transport.stop(60_000);
    const [code] = (await goaway) as [number];
    t.equal(code, 0);
    t.equal(started.transport.streams(), 1);
    stream.end(framed('after'));
    t.match(await heard, { bodies: ['before', 'after'], code: 0 });
    await stopped;
    t.same(started.closed, ['echo']);
  },
  'a stop ends streams that do not': async (t, started) => {
    const session = started.connect();
    const streams = Array.from({ length: 3 }, () => openRaw(session, { role: 'silent' }));
    const heard = streams.map(hear);
    for (const stream of streams) stream.write(framed('one'));
    await eventually('all are open', () => started.transport.streams() === 3);
    // The headers are sent with the first answer, the status with the last words.
    const stopped = started.transport.stop(10);
    await eventually('handlers know the end', () => started.closed.length === 3);
    for (const stream of streams) stream.end();
    t.ok((await Promise.all(heard)).every(({ code }) => code === STATUS.UNAVAILABLE));
    await stopped;
  },
};

/** One stream on a connection of its own. @param ends the client half-closes after its messages */
function talk(started: Started, pieces: readonly Buffer[], role = 'echo', ends = true): Promise<Heard> {
  return say(started.connect(), pieces, { role }, ends);
}

async function say(
  session: ReturnType<Started['connect']>,
  pieces: readonly Buffer[],
  more: Readonly<Record<string, string>> = {},
  ends = true,
): Promise<Heard> {
  const stream = openRaw(session, more);
  const heard = hear(stream);
  if (ends) await writeCut(stream, pieces);
  else for (const piece of pieces) stream.write(piece);
  // Without a half-close the server's end leaves the client's half open.
  if (!ends) stream.once('end', () => stream.close());
  return heard;
}

async function brokenOff(stream: ReturnType<typeof openRaw>): Promise<void> {
  stream.write(framed('one'));
  await once(stream, 'data');
  stream.close(8);
  await once(stream, 'close');
}

function lengthBytes(length: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(length);
  return bytes;
}

for (const name of ['grpc-js', 'http2', 'net'] as const) {
  t.test(name, async (t) => {
    for (const [what, check] of Object.entries(CASES)) {
      t.test(what, async (t) => check(t, await startEcho(t, name), name));
    }
    t.test('property: any cutting gives the same messages', async (t) => {
      const session = (await startEcho(t, name)).connect();
      const texts = fc.array(fc.oneof(fc.string({ maxLength: 50 }), fc.constant('y'.repeat(40_000))), { maxLength: 8 });
      await fc.assert(
        fc.asyncProperty(texts, fc.array(fc.nat(1000), { maxLength: 10 }), async (said, cuts) => {
          const { bodies, code } = await say(session, cut(Buffer.concat(said.map(framed)), cuts));
          return code === 0 && JSON.stringify(bodies) === JSON.stringify(said.map((text) => text.toWellFormed()));
        }),
        { numRuns: 60 },
      );
    });
  });
}

/** @param thousandths where to cut */
function cut(bytes: Buffer, thousandths: readonly number[]): Buffer[] {
  const places = thousandths.map((share) => Math.floor((bytes.length * share) / 1000)).sort((a, b) => a - b);
  return [0, ...places].map((from, index) => bytes.subarray(from, places[index] ?? bytes.length));
}

t.test('the setting', async (t) => {
  t.equal(readTransport('net'), 'net');
  t.equal(readTransport('http2'), 'http2');
  t.equal(readTransport('grpc-js'), 'grpc-js');
  t.equal(readTransport(''), readTransport(undefined));
  t.throws(() => readTransport('http3'), /TOLLGATE_TRANSPORT is "http3"; it may be net, http2, grpc-js/);
});

t.test('addresses', async (t) => {
  const options = { maxMessageBytes: 1000, open: () => ({ message: () => {}, closed: () => {} }), fault: () => {} };
  for (const name of ['grpc-js', 'http2', 'net'] as const) {
    const start = await transportNamed(name);
    const port = await freePort();
    const transport = await start({ ...options, address: `127.0.0.1:${port}` });
    const socket = connectSocket(port, '127.0.0.1');
    await once(socket, 'connect');
    socket.destroy();
    await t.rejects(start({ ...options, address: `127.0.0.1:${port}` }), `${name}: taken`);
    await transport.stop(0);
  }
});

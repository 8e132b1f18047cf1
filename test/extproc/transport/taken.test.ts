import { once } from 'node:events';
import { type ClientHttp2Stream, connect } from 'node:http2';
import { connect as connectSocket } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { ProcessCall } from '../../../src/extproc/process-call.js';
import { toChunkResponse } from '../../../src/extproc/replies.js';
import { type TransportName, transportNamed } from '../../../src/extproc/transport/choose.js';
import { temporaryDirectory } from '../../cli/temporary-directory.js';
import { eventually } from '../../eventually.js';
import { framed, hear, LARGEST, openRaw } from './echo.js';

// A body's memory may be given back when its answer was taken: never a byte earlier, whatever Envoy says meanwhile.

const LENGTH = 3_000_000;

interface Answered {
  readonly stream: ClientHttp2Stream;
  /** Memory of the large answer; empty when it was given back. */
  readonly body: Buffer;
  /** Messages that the handler got. */
  readonly messages: () => number;
  readonly closed: () => boolean;
}

/**
 * A stream whose first message is answered with 3 MB, in memory that is given back as soon as they are said to be taken; every
 * further message (Envoy's own reply, say) with a few bytes.
 */
async function answered(t: Test, name: TransportName, initialWindowSize: number): Promise<Answered> {
  const socket = join(temporaryDirectory(t), 'taken');
  const body = Buffer.allocUnsafeSlow(LENGTH).fill('x');
  let [messages, closed] = [0, false];
  const message = (call: ProcessCall): void => {
    messages += 1;
    if (messages > 1) call.send(toChunkResponse(Buffer.from('small')));
    else call.send(toChunkResponse(body), () => void body.buffer.transfer(0));
  };
  const transport = await (await transportNamed(name))({
    address: `unix:${socket}`,
    maxMessageBytes: LARGEST,
    fault: (what, error) => t.fail(`${what}: ${error}`),
    open: (_role, call) => ({
      message: () => message(call),
      closed: () => {
        closed = true;
      },
    }),
  });
  const session = connect('http://localhost', {
    createConnection: () => connectSocket(socket),
    settings: { initialWindowSize },
  });
  session.on('error', () => undefined);
  t.teardown(async () => {
    session.destroy();
    await transport.stop(0);
  });
  await once(session, 'localSettings');
  const stream = openRaw(session);
  stream.write(framed('the request'));
  await eventually('the request was heard', () => messages === 1);
  return { stream, body, messages: () => messages, closed: () => closed };
}

for (const name of ['net', 'http2', 'grpc-js'] as const) {
  t.test(name, async (t) => {
    await t.test('an answer of Envoy comes while the body is on its way', async (t) => {
      const { stream, body, messages } = await answered(t, name, 100_000);
      // Nobody reads: the stream's window stays shut.
      stream.write(framed('a local reply'));
      // This one listens no more before its answer has left.
      if (name !== 'http2') await eventually('Envoy went on', () => messages() === 2);
      t.equal(body.length, LENGTH, 'it stays');
      const { bodies } = await hear(stream, 2);
      t.equal(bodies[0], 'x'.repeat(LENGTH), 'every byte is the body’s own');
      t.equal(bodies[1], 'small');
      if (name === 'net') await eventually('it is given back', () => body.length === 0);
    });

    await t.test('the stream is reset while the body is on its way', async (t) => {
      const { stream, body, closed } = await answered(t, name, 100_000);
      stream.close(8);
      await eventually('it is over', closed);
      t.equal(body.length, LENGTH, 'left to the garbage collection');
    });
  });
}

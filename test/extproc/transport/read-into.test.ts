import { once } from 'node:events';
import { connect, createServer, Socket } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { readInto, readingMemory } from '../../../src/extproc/transport/read-into.js';
import { temporaryDirectory } from '../../cli/temporary-directory.js';

t.test('many sockets read into the same memory, and the server counts them', async (t) => {
  const memory = readingMemory();
  const server = createServer({ noDelay: true });
  const received = new Map<Socket, Buffer[]>();
  const sockets: Socket[] = [];
  server.on('connection', (accepted) => {
    const pieces: Buffer[] = [];
    const socket = readInto(accepted, memory, (chunk) => {
      t.equal(chunk.buffer, memory.buffer);
      pieces.push(Buffer.from(chunk));
      // Whoever has heard enough for now.
      socket.pause();
      setImmediate(() => socket.resume());
    });
    t.not(socket, accepted, 'this Node lets us choose the memory');
    sockets.push(socket);
    received.set(socket, pieces);
    socket.once('end', () => socket.write(Buffer.concat(pieces)));
  });
  for (const address of [{ host: '127.0.0.1', port: 0 }, { path: join(temporaryDirectory(t), 's') }]) {
    await new Promise<void>((resolve) => server.listen(address, resolve));
    const bound = server.address();
    const open = (): Socket =>
      typeof bound === 'string'
        ? connect({ path: bound, allowHalfOpen: true })
        : connect({ port: bound?.port ?? 0, host: '127.0.0.1', allowHalfOpen: true });
    const said = ['a', 'b', 'c'].map((letter) => Buffer.alloc(300_000, letter));
    await Promise.all(
      said.map(async (bytes) => {
        const client = open();
        client.end(bytes);
        const heard: Buffer[] = [];
        client.on('data', (chunk) => heard.push(chunk));
        await once(client, 'end');
        t.ok(Buffer.concat(heard).equals(bytes), 'it says what it heard');
      }),
    );
    await new Promise<void>((resolve) => server.close(() => resolve()));
    t.ok(
      sockets.every((socket) => socket.destroyed),
      'closed once all of them are',
    );
  }
  t.equal(sockets.length, 6);
});

t.test('a connection that is reset, or ended from here, ends for the server too', async (t) => {
  const server = createServer();
  const path = join(temporaryDirectory(t), 's');
  await new Promise<void>((resolve) => server.listen(path, resolve));
  for (const end of ['theirs', 'ours'] as const) {
    const client = connect(path);
    const [accepted] = (await once(server, 'connection')) as [Socket];
    const socket = readInto(accepted, readingMemory(), () => undefined);
    const closed = Promise.all([once(socket, 'close'), once(client, 'close')]);
    (end === 'theirs' ? client : socket).destroy();
    await closed;
  }
  await new Promise<void>((resolve) => server.close(() => resolve()));
});

t.test('a socket without such a handle is read as usual', async (t) => {
  const plain = new Socket();
  const heard: string[] = [];
  t.equal(
    readInto(plain, readingMemory(), (chunk) => heard.push(chunk.toString())),
    plain,
  );
  plain.emit('data', Buffer.from('said'));
  t.same(heard, ['said']);
});

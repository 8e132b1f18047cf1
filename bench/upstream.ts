import { type AddressInfo, createServer } from 'node:net';
import { answer } from './upstream/answers.js';
import { RequestReader } from './upstream/request-reader.js';

/**
 * A provider that costs next to nothing, on bare sockets: constant answers in the dialect of the path, chosen by the model
 * (`upstream/answers.ts`). Tells its port to the process that started it.
 */

const server = createServer({ noDelay: true }, (socket) => {
  let stop = (): void => undefined;
  const reader = new RequestReader((request) => {
    stop = answer(request, socket);
  });
  socket.on('data', (piece) => reader.push(piece));
  socket.on('error', () => undefined);
  socket.on('close', () => stop());
});
// Nobody is left to work for.
process.on('disconnect', () => process.exit());
server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => {
  process.send?.((server.address() as AddressInfo).port);
});

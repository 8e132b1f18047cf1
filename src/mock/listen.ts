import { once } from 'node:events';
import type { Server } from 'node:http';
import type { Address } from '../config/snapshot.js';

/** Starts to listen and gives the real address. Rejects when the port is taken. */
export async function listen(server: Server, wanted: Address): Promise<Address> {
  // Longer than Envoy keeps an idle connection: the side that reuses connections must be the one that closes them.
  server.keepAliveTimeout = 3_600_000;
  server.requestTimeout = 0;
  server.on('clientError', (_error, socket) => socket.destroy());
  server.listen(wanted.port, wanted.host);
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no TCP address');
  return { host: address.address, port: address.port };
}

/** Stops at once; streams that still run are cut. */
export async function shut(server: Server): Promise<void> {
  if (!server.listening) return;
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
}

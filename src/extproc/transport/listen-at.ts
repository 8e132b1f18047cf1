import { once } from 'node:events';
import { rmSync } from 'node:fs';
import type { Server } from 'node:net';

/**
 * Resolves when the server is bound.
 * @param address `unix:/path` or `host:port`
 */
export async function listenAt(server: Server, address: string): Promise<void> {
  const listening = once(server, 'listening');
  if (address.startsWith('unix:')) {
    const path = address.slice('unix:'.length);
    // A socket file that a killed process left behind; a living owner is excluded by the supervisor's lock.
    rmSync(path, { force: true });
    server.listen(path);
  } else {
    const colon = address.lastIndexOf(':');
    server.listen(Number(address.slice(colon + 1)), address.slice(0, colon));
  }
  await listening;
}

import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { formatAddress } from '../../config/address.js';
import type { Address } from '../../config/snapshot.js';
import { UserError } from '../user-error.js';

/**
 * Free ports are looked for below Linux's ephemeral range (32768 and up): there a port found free now is not taken a moment
 * later by some outgoing connection or by another program that asked for port 0.
 */
const RANGE = { from: 18_000, to: 32_000, tries: 50 } as const;

/** The addresses of one gateway by the config key that moves them. */
export interface Addresses {
  readonly gateway: Address;
  readonly admin: Address;
  readonly envoyAdmin: Address;
}

const SETTINGS = [
  ['gateway', 'gateway.listen'],
  ['admin', 'admin.listen'],
  ['envoyAdmin', 'envoy.admin'],
] as const;

/**
 * Replaces each port 0 by a free one and makes sure that the others are free. Chosen here and not by Envoy, because a port
 * must outlive restarts of the process that listens on it. The check is needed although the children bind on their own:
 * Envoy shares a port silently with another Envoy (SO_REUSEPORT).
 *
 * @throws UserError naming every port that is in use or not allowed, and the setting that moves it
 */
export async function settleAddresses(wanted: Addresses): Promise<Addresses> {
  const settled: { -readonly [K in keyof Addresses]: Address } = { ...wanted };
  const problems: string[] = [];
  const taken = new Set(SETTINGS.map(([part]) => wanted[part].port));
  for (const [part, setting] of SETTINGS) {
    const address = wanted[part];
    if (address.port === 0) {
      settled[part] = await freePort(address.host, taken);
      taken.add(settled[part].port);
      continue;
    }
    const code = await tryBind(address);
    if (code !== null) problems.push(explain({ address, setting, code }));
  }
  if (problems.length > 0) throw new UserError(problems.join('\n'));
  return settled;
}

/** The address with a port that nobody listens on, not one of `taken`. */
export async function freePort(host: string, taken: ReadonlySet<number>): Promise<Address> {
  let code: string | null = 'EADDRINUSE';
  for (let attempt = 0; attempt < RANGE.tries; attempt += 1) {
    const port = randomInt(RANGE.from, RANGE.to);
    if (taken.has(port)) continue;
    code = await tryBind({ host, port });
    if (code === null) return { host, port };
    if (code !== 'EADDRINUSE') break;
  }
  throw new UserError(`no free port found on ${host} (${code})`);
}

/** Listens for a moment. Null when that worked, otherwise the system's error code. */
export function tryBind(address: Address): Promise<string | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'error'));
    server.listen({ host: address.host, port: address.port, exclusive: true }, () => server.close(() => resolve(null)));
  });
}

/** The same address as a client on this machine calls it: a wildcard host becomes the loopback one. */
export function localAddress(address: Address): Address {
  if (address.host === '0.0.0.0' || address.host === '') return { host: '127.0.0.1', port: address.port };
  return address.host === '::' ? { host: '::1', port: address.port } : address;
}

function explain(found: { address: Address; setting: string; code: string }): string {
  const { address, setting, code } = found;
  const where = formatAddress(address);
  const change = `${setting} in the config file (port 0 picks a free one)`;
  if (code === 'EADDRINUSE') return `${where} is in use by another program. End that one, or change ${change}.`;
  if (code === 'EACCES') return `${where} may not be opened by this user. Choose a port above 1023: change ${change}.`;
  if (code === 'EADDRNOTAVAIL') return `${where} is not an address of this machine. Change ${change}.`;
  return `${where} cannot be opened (${code}). Change ${change}.`;
}

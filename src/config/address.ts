import { isIPv6 } from 'node:net';
import type { Address } from './snapshot.js';

const HOST_NAME = /^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/;

/** `host:port`, `[::1]:port`, `:port` (every interface). Port 0 asks for a free one. Null when it is none of these. */
export function parseAddress(text: string): Address | null {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]*)):(\d{1,5})$/.exec(text);
  if (match === null) return null;
  const [, bracketed, plain] = match;
  const port = Number(match[3]);
  if (port > 65_535) return null;
  if (bracketed !== undefined) return isIPv6(bracketed) ? { host: bracketed, port } : null;
  if (plain === undefined || plain === '') return { host: '0.0.0.0', port };
  return HOST_NAME.test(plain) ? { host: plain, port } : null;
}

export function formatAddress(address: Address): string {
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}

/** True when only this machine can reach the address. */
export function isLoopback(address: Address): boolean {
  return address.host === 'localhost' || address.host === '::1' || /^127(\.\d{1,3}){3}$/.test(address.host);
}

/** True when both cannot be open at the same time. Free ports never clash. */
export function clash(left: Address, right: Address): boolean {
  if (left.port === 0 || left.port !== right.port) return false;
  const everywhere = (address: Address) => address.host === '0.0.0.0' || address.host === '::';
  return left.host === right.host || everywhere(left) || everywhere(right);
}

import { hash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Secret } from '../observability/secret.js';
import { AdminError } from './reply.js';

/** True for names and addresses that only this machine can reach. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, '').toLowerCase();
  return bare === 'localhost' || bare === '::1' || /^127(?:\.\d{1,3}){3}$/.test(bare);
}

/** Throws 401 unless the request carries the token. Digests are compared, so neither length nor prefix shows in time. */
export function requireToken(request: IncomingMessage, token: Secret | null): void {
  if (token === null) return;
  const given = /^bearer +(.*)$/i.exec(request.headers.authorization ?? '')?.[1] ?? '';
  if (timingSafeEqual(digest(given), digest(token.reveal()))) return;
  throw new AdminError(401, 'invalid_api_key', 'The admin API needs its token: Authorization: Bearer <admin.token>.', {
    headers: { 'www-authenticate': 'Bearer' },
  });
}

/**
 * Without a token, loopback is the only protection, and a web page can get around it by pointing its own name at
 * 127.0.0.1 (DNS rebinding). The browser still sends that name: refuse every `host` that is not this machine.
 */
export function requireLocalHost(request: IncomingMessage): void {
  const host = (request.headers.host ?? '').replace(/:\d+$/, '');
  if (!isLoopback(host)) throw new AdminError(403, 'forbidden_host', 'Ask for this address as 127.0.0.1 or localhost.');
}

/** Another site's page has no business with the API, whatever the browser would let it read. */
export function refuseCrossSite(request: IncomingMessage): void {
  if (request.headers['sec-fetch-site'] === 'cross-site') {
    throw new AdminError(403, 'forbidden_origin', 'The admin API does not answer pages of other sites.');
  }
}

/** Without a token, a page of another port of this machine could change things with a plain form. */
export function refuseOtherOrigin(request: IncomingMessage): void {
  const { origin, host } = request.headers;
  if (origin === undefined || URL.parse(origin)?.host === host) return;
  throw new AdminError(403, 'forbidden_origin', 'Changes are not taken from pages of other origins.');
}

function digest(text: string): Buffer {
  return hash('sha256', text, 'buffer');
}

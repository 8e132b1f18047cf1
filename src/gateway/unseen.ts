import type { Endpoint } from '../dialects/endpoint.js';
import type { Parts } from './parts.js';
import type { RequestState } from './state.js';
import { isUpgrade } from './upgrade.js';

/**
 * An answer of a provider's own API goes to its client as it is, errors included; not one that blames our credential, nor
 * a redirect that would take the client elsewhere.
 */
export function passesRaw(status: number): boolean {
  return status === 304 || (status !== 401 && status !== 403 && (status < 300 || status >= 400));
}

/**
 * True for a request whose body nobody here reads: bytes of any size and pace for a provider's own API, so they need no
 * room in anybody's memory. Not where the credential is a signature, which covers the body.
 */
export function passesUnseen(parts: Parts, state: RequestState, endpoint: Endpoint): boolean {
  if (isUpgrade(endpoint.wire)) return true;
  if (endpoint.wire !== 'raw' || endpoint.direct === undefined) return false;
  const account = state.rules.snapshot.providers.get(endpoint.direct.provider);
  return (account && parts.kinds.get(account.kind)?.identity) !== 'aws';
}

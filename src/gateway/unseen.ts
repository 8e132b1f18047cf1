import type { Endpoint } from '../dialects/endpoint.js';
import type { Parts } from './parts.js';
import type { RequestState } from './state.js';

/**
 * True for a request whose body nobody here reads: bytes of any size and pace for a provider's own API, so they need no
 * room in anybody's memory. Not where the credential is a signature, which covers the body.
 */
export function passesUnseen(parts: Parts, state: RequestState, endpoint: Endpoint): boolean {
  if (endpoint.wire !== 'raw' || endpoint.direct === undefined) return false;
  const account = state.rules.snapshot.providers.get(endpoint.direct.provider);
  return (account && parts.kinds.get(account.kind)?.identity) !== 'aws';
}

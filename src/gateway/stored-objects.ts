import type { Wire } from '../dialects/endpoint.js';
import { GatewayError } from '../dialects/error.js';
import { namesStoredObjects, storedReference } from '../dialects/stored-objects.js';
import type { Admitted, RequestState } from './state.js';
import type { Way } from './way.js';

const SETTING = 'The operator may allow it with "stored_objects: shared", where all keys may see each other’s objects.';

/**
 * One account at a provider serves many keys, which must not read each other's files, batches or stored answers. Throws
 * `not_found` for a path and `unsupported_parameter` for a body that names what the provider has stored, unless the operator has
 * opened that to all or the app asks with a key of its own.
 */
export function refuseStoredObjects(state: RequestState, admitted: Pick<Admitted, 'body' | 'ahead'>, way: Way): void {
  const { account, endpoint, translation } = way;
  if (mayUseStored(state, way)) return;
  const { direct } = endpoint;
  if (direct !== undefined && namesStoredObjects(endpoint.method, direct.path)) {
    const what = `Objects that provider "${account.name}" stores are not served.`;
    throw new GatewayError('not_found', `${what} ${SETTING}`);
  }
  // What is translated refuses references itself: they mean nothing elsewhere.
  const field = translation === null ? referenceIn(admitted, endpoint.wire) : null;
  if (field === null) return;
  const what = `"${field}" refers to what provider "${account.name}" has stored, which is not served; send all of it instead.`;
  throw new GatewayError('unsupported_parameter', `${what} ${SETTING}`, { param: field });
}

/** All keys share what the provider stores, or the app asks as itself. */
export function mayUseStored(state: RequestState, { account }: Pick<Way, 'account'>): boolean {
  return account.storedObjects === 'shared' || state.ownKeys.has(account.name);
}

function referenceIn({ body, ahead }: Pick<Admitted, 'body' | 'ahead'>, wire: Wire): string | null {
  return ahead === undefined ? storedReference(wire, body) : ahead.stored;
}

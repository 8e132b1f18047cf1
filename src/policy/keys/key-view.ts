import type { FixedKey } from '../../config/snapshot.js';
import type { IssuedKey } from '../../store/keys/issued-key.js';
import type { KeyView } from './key-desk.js';

/** A key of the config file. */
export function fixedKeyView(key: FixedKey, now: number): KeyView {
  return {
    id: key.id,
    source: 'config',
    state: stateOf(key.expiresAt, null, now),
    labels: key.labels,
    models: key.models,
    endpoints: key.endpoints,
    expires: iso(key.expiresAt),
    metadata: key.metadata,
    created: null,
    revoked: null,
    changed: null,
    changed_by: null,
    old_secrets_until: [],
  };
}

export function issuedKeyView(key: IssuedKey, now: number): KeyView {
  const old = key.secrets.flatMap(({ validUntil }) => (validUntil !== null && validUntil > now ? [validUntil] : []));
  return {
    id: key.id,
    source: 'issued',
    state: stateOf(key.expires, key.revoked, now),
    labels: key.labels,
    models: key.models,
    endpoints: key.endpoints,
    expires: iso(key.expires),
    metadata: key.metadata,
    created: iso(key.created),
    revoked: iso(key.revoked),
    changed: iso(key.changed),
    changed_by: key.changedBy,
    old_secrets_until: key.revoked === null ? old.map((time) => new Date(time).toISOString()) : [],
  };
}

function stateOf(expires: number | null, revoked: number | null, now: number): KeyView['state'] {
  if (revoked !== null) return 'revoked';
  return expires !== null && now >= expires ? 'expired' : 'active';
}

function iso(time: number | null): string | null {
  return time === null ? null : new Date(time).toISOString();
}

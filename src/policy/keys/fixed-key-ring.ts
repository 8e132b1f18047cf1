import { hash } from 'node:crypto';
import type { FixedKey } from '../../config/snapshot.js';
import type { GatewayKey, KeyRing } from './key-ring.js';

/** Longer than any key, shorter than anything that would be slow to hash. UTF-16 units. */
const LONGEST_SECRET = 4096;

/**
 * The keys of the config file, looked up by the SHA-256 of the whole secret: the time that takes can tell something only of
 * digests, which a caller cannot choose, and no secret is compared with another.
 * Throws when a digest is not 64 hex digits or two keys share one: such a config must not come into use.
 */
export function createFixedKeyRing(keys: readonly FixedKey[]): KeyRing & { readonly keys: readonly GatewayKey[] } {
  const known = new Map<string, GatewayKey>();
  for (const fixed of keys) {
    const digest = fixed.sha256.toLowerCase();
    if (!/^[0-9a-f]{64}$/.test(digest)) throw new Error(`key ${fixed.id}: the hash is not a SHA-256 in hex`);
    const twin = known.get(digest);
    if (twin !== undefined) throw new Error(`keys ${twin.id} and ${fixed.id} have the same secret`);
    const { id, labels, models, endpoints, expiresAt } = fixed;
    known.set(digest, Object.freeze({ id, labels, models, endpoints, expiresAt }));
  }
  return {
    keys: [...known.values()],
    find(secret, now) {
      if (secret.length > LONGEST_SECRET) return null;
      const key = known.get(hash('sha256', secret, 'hex'));
      return key === undefined || isExpired(key, now) ? null : key;
    },
  };
}

function isExpired(key: GatewayKey, now: number): boolean {
  return key.expiresAt !== null && now >= key.expiresAt;
}

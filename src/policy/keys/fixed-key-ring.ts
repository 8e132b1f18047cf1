import { hash, timingSafeEqual } from 'node:crypto';
import type { FixedKey } from '../../config/snapshot.js';
import type { GatewayKey, KeyRing } from './key-ring.js';

/** Longer than any key, shorter than anything that would be slow to hash. UTF-16 units. */
const LONGEST_SECRET = 4096;
const NOBODY = Buffer.alloc(32);

interface Entry {
  readonly digest: Buffer;
  readonly key: GatewayKey;
}

/**
 * The keys of the config file, looked up by the SHA-256 of the whole secret. The look-up reveals only digests that the
 * caller could compute; the digests are then compared in constant time, also when there is no such key.
 * Throws when a digest is not 64 hex digits or two keys share one: such a config must not come into use.
 */
export function createFixedKeyRing(keys: readonly FixedKey[]): KeyRing & { readonly keys: readonly GatewayKey[] } {
  const entries = new Map<string, Entry>();
  for (const fixed of keys) {
    const digest = Buffer.from(fixed.sha256, 'hex');
    if (digest.length !== 32) throw new Error(`key ${fixed.id}: the hash is not a SHA-256 in hex`);
    const name = digest.toString('hex');
    const twin = entries.get(name);
    if (twin !== undefined) throw new Error(`keys ${twin.key.id} and ${fixed.id} have the same secret`);
    const { id, labels, models, endpoints, expiresAt } = fixed;
    entries.set(name, { digest, key: Object.freeze({ id, labels, models, endpoints, expiresAt }) });
  }
  return {
    keys: [...entries.values()].map((entry) => entry.key),
    find(secret, now) {
      if (secret.length > LONGEST_SECRET) return null;
      const digest = hash('sha256', secret, 'buffer');
      const entry = entries.get(digest.toString('hex'));
      const same = timingSafeEqual(digest, entry?.digest ?? NOBODY);
      if (entry === undefined || !same) return null;
      return isExpired(entry.key, now) ? null : entry.key;
    },
  };
}

function isExpired(key: GatewayKey, now: number): boolean {
  return key.expiresAt !== null && now >= key.expiresAt;
}

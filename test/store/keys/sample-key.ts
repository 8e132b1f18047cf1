import type { IssuedKey } from '../../../src/store/keys/issued-key.js';
import type { KeyFollower, KeyStoreState } from '../../../src/store/keys/key-store.js';

export function sampleKey(id: string, more: Partial<IssuedKey> = {}): IssuedKey {
  return {
    id,
    labels: { team: 'suche – 検索', __proto: 'x' },
    models: ['smart', 'openai/*'],
    endpoints: null,
    expires: null,
    metadata: { note: 'line\nbreak "quoted" \u0000' },
    created: 1_795_000_000_000,
    revoked: null,
    secrets: [{ hmac: 'ab'.repeat(32), pepper: 'p1', validUntil: null }],
    revision: 1,
    changed: 1_795_000_000_000,
    changedBy: 'admin',
    ...more,
  };
}

/** What a process knows: of each key the highest revision. */
export class Memory implements KeyFollower {
  readonly keys = new Map<string, IssuedKey>();
  readonly problems: string[] = [];
  largestPiece = 0;
  state: KeyStoreState = { trouble: null, loaded: false };

  learn(keys: readonly IssuedKey[]): void {
    this.largestPiece = Math.max(this.largestPiece, keys.length);
    for (const key of keys) {
      const known = this.keys.get(key.id);
      if (!known || known.revision < key.revision) this.keys.set(key.id, key);
    }
  }

  known(): Iterable<IssuedKey> {
    return [...this.keys.values()];
  }

  problem(message: string): void {
    this.problems.push(message);
  }

  stands(state: KeyStoreState): void {
    this.state = state;
  }
}

import { timingSafeEqual } from 'node:crypto';
import type { IssuedKey } from '../../store/keys/issued-key.js';
import type { KeyFollower, KeyStoreState } from '../../store/keys/key-store.js';
import { readKeyFormat } from './key-format.js';
import type { GatewayKey, KeyRing, LaterFind } from './key-ring.js';
import { keyDigest, type Pepper, type Peppers } from './pepper.js';

interface Entry {
  readonly issued: IssuedKey;
  readonly key: GatewayKey;
  readonly secrets: readonly Secret[];
  /** Place in the order in which this process learned of keys. */
  readonly place: number;
}

interface Secret {
  readonly digest: Buffer;
  readonly pepper: Pepper;
  /** Epoch milliseconds; null = as long as the key lives. */
  readonly validUntil: number | null;
}

export interface IssuedKeysParts {
  readonly peppers: Peppers;
  /** Learns what is new in the store now (`KeyStore.look`). */
  readonly look: () => Promise<void>;
  /** Something an operator should know, without secrets. */
  readonly onProblem: (message: string) => void;
}

/**
 * All issued keys in memory, kept current by their store. A key is looked up by its public id and compared by HMAC in
 * constant time; one that is not even well-formed is refused before. Nothing about past answers is kept, so that a change
 * counts from the moment at which it is learned.
 */
export class IssuedKeys implements KeyRing, KeyFollower {
  readonly #peppers: ReadonlyMap<string, Pepper>;
  /** Compared with when there is no such key, so that the work is the same. */
  readonly #nobody: readonly [Secret];
  readonly #entries = new Map<string, Entry>();
  readonly #order: string[] = [];
  readonly #parts: IssuedKeysParts;
  #state: KeyStoreState = { trouble: null, loaded: false };
  #unverifiable = 0;

  constructor(parts: IssuedKeysParts) {
    const { peppers } = parts;
    this.#parts = parts;
    this.#peppers = new Map(peppers.map((pepper) => [pepper.name, pepper]));
    this.#nobody = [{ digest: Buffer.alloc(32), pepper: peppers[0], validUntil: 0 }];
  }

  /** What an operator should mend, in words; empty = nothing. For `degraded` of `/readyz`. */
  get troubles(): readonly string[] {
    const { trouble } = this.#state;
    const strange =
      this.#unverifiable === 0
        ? []
        : [`${this.#unverifiable} issued keys were made under another pepper: set the same admin.pepper everywhere`];
    return trouble === null ? strange : [trouble, ...strange];
  }

  get size(): number {
    return this.#entries.size;
  }

  find(secret: string, now: number): GatewayKey | null {
    const format = readKeyFormat(secret);
    if (format.kind !== 'issued') return null;
    const entry = this.#entries.get(format.id);
    const secrets = entry && entry.secrets.length > 0 ? entry.secrets : this.#nobody;
    let same = false;
    for (const known of secrets) {
      const equal = timingSafeEqual(keyDigest(known.pepper, secret), known.digest);
      if (equal && (known.validUntil === null || now < known.validUntil)) same = true;
    }
    if (!same || entry === undefined || entry.issued.revoked !== null) return null;
    return entry.key.expiresAt !== null && now >= entry.key.expiresAt ? null : entry.key;
  }

  /**
   * A key may be newer than the last look into the store: a well-formed one that is unknown is worth another look, so that a new
   * key works at once on every host. Nothing is known to be bad before all keys were read once.
   */
  findLater(secret: string, now: number, done: (result: LaterFind) => void): boolean {
    if (readKeyFormat(secret).kind !== 'issued') return false;
    const { trouble, loaded } = this.#state;
    if (loaded && trouble !== null) return false;
    if (trouble !== null) {
      done({ kind: 'unavailable', reason: trouble });
      return true;
    }
    void this.#parts.look().then(() => {
      const key = this.find(secret, now);
      if (key) done({ kind: 'found', key });
      else if (this.#state.loaded) done({ kind: 'unknown' });
      else done({ kind: 'unavailable', reason: this.#state.trouble ?? 'the keys are not read yet' });
    });
    return true;
  }

  learn(keys: readonly IssuedKey[]): void {
    for (const issued of keys) {
      const known = this.#entries.get(issued.id);
      if (known && known.issued.revision >= issued.revision) continue;
      this.#entries.set(issued.id, this.#entry(issued, known?.place ?? this.#order.push(issued.id) - 1));
      if (known) this.#count(known, -1);
      this.#count(this.#entries.get(issued.id), 1);
    }
  }

  *known(): Iterable<IssuedKey> {
    for (const entry of this.#entries.values()) yield entry.issued;
  }

  problem(message: string): void {
    this.#parts.onProblem(message);
  }

  stands(state: KeyStoreState): void {
    if (state.trouble !== null && this.#state.trouble === null) this.#parts.onProblem(state.trouble);
    this.#state = state;
  }

  get(id: string): IssuedKey | null {
    return this.#entries.get(id)?.issued ?? null;
  }

  /** At most `limit` keys after the one with the id `after` (null = from the first), in an order that does not change. Null: no such id. */
  page(after: string | null, limit: number): readonly IssuedKey[] | null {
    const start = after === null ? 0 : (this.#entries.get(after)?.place ?? -2) + 1;
    if (start < 0) return null;
    const ids = this.#order.slice(start, start + limit);
    return ids.flatMap((id) => this.get(id) ?? []);
  }

  #entry(issued: IssuedKey, place: number): Entry {
    const { id, labels, models, endpoints, expires } = issued;
    const secrets = issued.secrets.flatMap(({ hmac, pepper: name, validUntil }) => {
      const pepper = this.#peppers.get(name);
      return pepper ? [{ digest: Buffer.from(hmac, 'hex'), pepper, validUntil }] : [];
    });
    return { issued, key: Object.freeze({ id, labels, models, endpoints, expiresAt: expires }), secrets, place };
  }

  #count(entry: Entry | undefined, change: 1 | -1): void {
    if (entry && entry.secrets.length < entry.issued.secrets.length && entry.issued.revoked === null)
      this.#unverifiable += change;
  }
}

import type { Snapshot } from '../config/snapshot.js';
import type { Log } from '../observability/log.js';
import { createKeyRing } from '../policy/keys/create-key-ring.js';
import { createFixedKeyRing } from '../policy/keys/fixed-key-ring.js';
import { fetchJson } from '../policy/keys/jwt/fetch-json.js';
import { KeySet } from '../policy/keys/jwt/key-set.js';
import { createTokenRing, type TokenRing } from '../policy/keys/jwt/token-ring.js';
import type { KeyDesk } from '../policy/keys/key-desk.js';
import { KeyError } from '../policy/keys/key-error.js';
import type { KeyRing } from '../policy/keys/key-ring.js';
import { type OpenIssuedKeys, openIssuedKeys } from '../policy/keys/open-issued-keys.js';

export interface KeyServiceOptions {
  /** The configuration in use now; store and pepper are taken from the first one. */
  readonly snapshot: () => Snapshot;
  readonly log: Log;
}

/** Issued keys and the key sets of identity providers: what outlives a snapshot. */
export class KeyService {
  readonly #options: KeyServiceOptions;
  readonly #keySets = new Map<string, KeySet>();
  readonly #issued: KeyRing = {
    find: (secret, now) => this.#open?.ring.find(secret, now) ?? null,
    findLater: (secret, now, done) => this.#open?.ring.findLater(secret, now, done) === true,
  };
  #open: OpenIssuedKeys | null = null;
  #tokens: TokenRing | null = null;

  constructor(options: KeyServiceOptions) {
    this.#options = options;
  }

  /** Reads all issued keys: before the first request. Resolves also when their store cannot be reached. */
  async open(): Promise<void> {
    const { snapshot, log } = this.#options;
    this.#open = await openIssuedKeys({
      snapshot: snapshot(),
      fixed: () => snapshot().keys,
      by: 'admin',
      now: Date.now,
      onProblem: (message) => log.write('error', `issued keys: ${message}`),
      audit: ({ action, key, by, revision }) => log.write('info', `key ${action}`, { key, by, revision }),
    });
  }

  /** Everything that a request of this snapshot may present. */
  ringFor(snapshot: Snapshot): KeyRing {
    this.#closeKeySets(new Set(snapshot.jwt.map((issuer) => issuer.jwksUrl)));
    const keySetOf = (url: string): KeySet => this.#keySetOf(url);
    this.#tokens =
      snapshot.jwt.length === 0 ? null : createTokenRing({ issuers: snapshot.jwt, keySetOf, now: Date.now });
    return createKeyRing({ fixed: createFixedKeyRing(snapshot.keys), issued: this.#issued, tokens: this.#tokens });
  }

  /** For the admin API. */
  get desk(): KeyDesk {
    if (this.#open === null) throw new KeyError('unavailable', 'The keys are not read yet.');
    return this.#open.desk;
  }

  /** For `degraded` of `/readyz`. */
  get troubles(): readonly string[] {
    return this.#open?.ring.troubles ?? [];
  }

  async close(): Promise<void> {
    this.#closeKeySets(new Set());
    await this.#open?.close();
  }

  #keySetOf(url: string): KeySet {
    const known = this.#keySets.get(url);
    if (known) return known;
    const onChange = (): void => this.#tokens?.forget();
    const made = new KeySet({ url, fetchJson, now: () => performance.now(), onChange });
    this.#keySets.set(url, made);
    return made;
  }

  #closeKeySets(except: ReadonlySet<string>): void {
    for (const [url, keySet] of this.#keySets) {
      if (except.has(url)) continue;
      keySet.close();
      this.#keySets.delete(url);
    }
  }
}

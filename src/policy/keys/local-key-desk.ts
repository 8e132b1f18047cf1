import type { FixedKey } from '../../config/snapshot.js';
import type { IssuedKey, KeySecret } from '../../store/keys/issued-key.js';
import type { KeyStore } from '../../store/keys/key-store.js';
import type { IssuedKeys } from './issued-keys.js';
import type { KeyChange } from './key-change.js';
import type { ChangedKey, KeyDesk, KeyPage, KeyView } from './key-desk.js';
import { KeyError } from './key-error.js';
import { generateKey, generateKeyText } from './key-format.js';
import { fixedKeyView, issuedKeyView } from './key-view.js';
import { keyDigest, type Pepper } from './pepper.js';

export interface LocalKeyDeskParts {
  readonly store: KeyStore;
  /** The store's follower. */
  readonly issued: IssuedKeys;
  /** As the config file has them now. */
  readonly fixed: () => readonly FixedKey[];
  /** New secrets are made under it. */
  readonly pepper: Pepper;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Who makes changes here, such as `admin`: kept with each of them. */
  readonly by: string;
  /** Told of each change that was stored. */
  readonly audit: (change: AuditedChange) => void;
}

/** One line of the audit log. */
export interface AuditedChange {
  readonly action: KeyChange['action'];
  readonly key: string;
  readonly by: string;
  readonly revision: number;
}

/** Secrets of one key that may be valid at the same time. */
const MOST_SECRETS = 5;

/** Looks at and changes the keys of this process's own store. */
export class LocalKeyDesk implements KeyDesk {
  readonly #parts: LocalKeyDeskParts;

  constructor(parts: LocalKeyDeskParts) {
    this.#parts = parts;
  }

  /** Fixed keys first; the cursor is the id of the last key on the page before. */
  async list({ limit, cursor }: { readonly limit: number; readonly cursor: string | null }): Promise<KeyPage> {
    const now = this.#parts.now();
    const fixed = this.#parts.fixed();
    const place = cursor === null ? -1 : fixed.findIndex((key) => key.id === cursor);
    const isFixed = cursor === null || place >= 0;
    const first = isFixed ? fixed.slice(place + 1, place + 1 + limit) : [];
    // One more than wanted tells whether there is a further page.
    const more = this.#parts.issued.page(isFixed ? null : cursor, limit + 1 - first.length);
    if (more === null) throw new KeyError('invalid', 'cursor: no key has this id.', 'cursor');
    const views = [...first.map((key) => fixedKeyView(key, now)), ...more.map((key) => issuedKeyView(key, now))];
    const data = views.slice(0, limit);
    const rest = views.length > limit || (isFixed && place + 1 + first.length < fixed.length);
    return { data, next: rest ? (data.at(-1)?.id ?? null) : null };
  }

  async get(id: string): Promise<KeyView> {
    const now = this.#parts.now();
    const fixed = this.#parts.fixed().find((key) => key.id === id);
    return fixed ? fixedKeyView(fixed, now) : issuedKeyView(this.#issued(id), now);
  }

  async change(change: KeyChange): Promise<ChangedKey> {
    if (change.action === 'create') return this.#create(change);
    if (this.#parts.fixed().some((key) => key.id === change.id)) {
      throw new KeyError('conflict', `The key "${change.id}" is fixed in the config file: change it there.`);
    }
    const known = this.#issued(change.id);
    if (known.revoked !== null) {
      if (change.action === 'revoke') return { key: issuedKeyView(known, this.#parts.now()), secret: null };
      throw new KeyError('conflict', `The key ${known.id} is revoked, which is for good: create another one.`);
    }
    if (change.action === 'rotate') return this.#rotate(known, change);
    const news = change.action === 'patch' ? this.#inFuture(change.fields) : { revoked: this.#parts.now() };
    return { key: await this.#put(change, { ...known, ...news, revision: known.revision + 1 }), secret: null };
  }

  async #create(change: KeyChange & { action: 'create' }): Promise<ChangedKey> {
    const { fixed, issued, now } = this.#parts;
    let made = generateKey();
    while (issued.get(made.id) || fixed().some((key) => key.id === made.id)) made = generateKey();
    const fields = this.#inFuture(change.fields);
    const secrets = [this.#secret(made.text)];
    const key = { id: made.id, ...fields, created: now(), revoked: null, secrets, revision: 1 };
    return { key: await this.#put(change, key), secret: made.text };
  }

  async #rotate(known: IssuedKey, change: KeyChange & { action: 'rotate' }): Promise<ChangedKey> {
    const now = this.#parts.now();
    const until = now + change.graceMs;
    const old = known.secrets
      .map((secret) => ({ ...secret, validUntil: Math.min(secret.validUntil ?? until, until) }))
      .filter((secret) => secret.validUntil > now);
    if (old.length >= MOST_SECRETS) {
      throw new KeyError('conflict', `The key ${known.id} has ${old.length} secrets in their grace period already.`);
    }
    const text = generateKeyText(known.id);
    const secrets = [this.#secret(text), ...old];
    return { key: await this.#put(change, { ...known, secrets, revision: known.revision + 1 }), secret: text };
  }

  async #put(change: KeyChange, made: Omit<IssuedKey, 'changed' | 'changedBy'>): Promise<KeyView> {
    const { store, now, by, audit } = this.#parts;
    const key: IssuedKey = { ...made, changed: now(), changedBy: by };
    const result = await store.put(key);
    if (result.kind === 'unavailable') {
      throw new KeyError(
        'unavailable',
        'The store of the keys does not answer, so nothing can be changed now; keys work as before. If it was slow, the change may have been made all the same: look before you try again.',
      );
    }
    if (result.kind === 'conflict') {
      throw new KeyError('conflict', `The key ${key.id} was changed by somebody else at the same moment: try again.`);
    }
    audit({ action: change.action, key: key.id, by, revision: key.revision });
    return issuedKeyView(key, now());
  }

  #issued(id: string): IssuedKey {
    const key = this.#parts.issued.get(id);
    if (key === null) throw new KeyError('not_found', 'No key has this id.');
    return key;
  }

  #secret(text: string): KeySecret {
    const { pepper } = this.#parts;
    return { hmac: keyDigest(pepper, text).toString('hex'), pepper: pepper.name, validUntil: null };
  }

  /** A key that ends in the past is a mistake, not a wish. */
  #inFuture<Fields extends { readonly expires?: number | null }>(fields: Fields): Fields {
    const { expires } = fields;
    if (typeof expires === 'number' && expires <= this.#parts.now()) {
      throw new KeyError('invalid', 'expires: lies in the past; to end a key now, revoke it.', 'expires');
    }
    return fields;
  }
}

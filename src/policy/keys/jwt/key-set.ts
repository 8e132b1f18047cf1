import { createLocalJWKSet, errors, type JWTVerifyGetKey } from 'jose';

/** The issuer cannot be asked now, and what is known of its keys does not tell. */
export class IssuerUnavailable extends Error {
  override readonly name = 'IssuerUnavailable';
}

export interface KeySetOptions {
  readonly url: string;
  /** Gives the JSON of a key set; rejects when it cannot. */
  readonly fetchJson: (url: string) => Promise<unknown>;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** The keys are not those of before: what was verified with them has to be verified again. */
  readonly onChange: () => void;
}

type LocalKeys = ReturnType<typeof createLocalJWKSet>;

/** How often keys are fetched again without anybody asking. */
const REFRESH_MS = 300_000;
/** Between two fetches, whatever tokens claim: a made-up key id must not become a request to the issuer each. */
const COOLDOWN_MS = 5_000;

/**
 * The public keys of one issuer (JWKS), fetched when first needed and from then on in the background. When the issuer cannot be
 * reached, the keys known so far go on.
 */
export class KeySet {
  readonly #options: KeySetOptions;
  #keys: LocalKeys | null = null;
  #text = '';
  #fetching: Promise<void> | null = null;
  #fetchedAt = Number.NEGATIVE_INFINITY;
  #failed = false;
  #timer: NodeJS.Timeout | null = null;
  #closed = false;

  constructor(options: KeySetOptions) {
    this.#options = options;
  }

  /** For `jwtVerify`. Rejects with `IssuerUnavailable`, or with jose's error when the issuer has no such key. */
  readonly keyOf: JWTVerifyGetKey = async (header, token) => {
    if (this.#keys === null) await this.#refresh();
    try {
      return await this.#known()(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      // The issuer may have a new key.
      await this.#refresh();
      return this.#known()(header, token);
    }
  };

  close(): void {
    this.#closed = true;
    if (this.#timer) clearInterval(this.#timer);
  }

  #known(): LocalKeys {
    if (this.#keys === null) throw new IssuerUnavailable(`the keys at ${this.#options.url} could not be fetched`);
    return this.#keys;
  }

  /** Fetches unless that was done a moment ago. Rejects when the issuer could not be reached, now or a moment ago. */
  async #refresh(): Promise<void> {
    const isDue = this.#options.now() - this.#fetchedAt >= COOLDOWN_MS;
    if (isDue || this.#fetching) await this.#fetch();
    if (this.#failed) throw new IssuerUnavailable(`the keys at ${this.#options.url} could not be fetched`);
  }

  /** One fetch at a time. Never rejects. */
  #fetch(): Promise<void> {
    this.#fetching ??= this.#load().finally(() => {
      this.#fetching = null;
      this.#fetchedAt = this.#options.now();
    });
    return this.#fetching;
  }

  async #load(): Promise<void> {
    try {
      const set = await this.#options.fetchJson(this.#options.url);
      const text = JSON.stringify(set);
      if (text !== this.#text) {
        // Throws for what is no key set; then the old keys stay.
        this.#keys = createLocalJWKSet(set as Parameters<typeof createLocalJWKSet>[0]);
        if (this.#text !== '') this.#options.onChange();
        this.#text = text;
      }
      this.#failed = false;
      this.#keepFresh();
    } catch {
      this.#failed = true;
    }
  }

  #keepFresh(): void {
    if (this.#timer !== null || this.#closed) return;
    this.#timer = setInterval(() => void this.#fetch(), REFRESH_MS);
    this.#timer.unref();
  }
}

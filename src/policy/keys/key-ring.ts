/** An app's key as policy sees it; the secret is not in it. */
export interface GatewayKey {
  readonly id: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Globs over the model name that the client sent; null = all. */
  readonly models: readonly string[] | null;
  /** Globs over the client's path; null or absent = all. */
  readonly endpoints?: readonly string[] | null;
  readonly expiresAt: number | null;
}

/** What a key that had to be waited for turned out to be. */
export type LaterFind =
  | { readonly kind: 'found'; readonly key: GatewayKey }
  /** 401 `invalid_api_key`. */
  | { readonly kind: 'unknown' }
  /** Nobody can tell now: 503 `gateway_unavailable`. The reason is for the log. */
  | { readonly kind: 'unavailable'; readonly reason: string };

/** Finds the owner of a secret: a fixed key, an issued one, or the subject of a token. */
export interface KeyRing {
  /** The key, or null when unknown, revoked or expired at `now` (epoch ms). Constant-time where secrets are compared. */
  find(secret: string, now: number): GatewayKey | null;
  /**
   * To be asked when `find` found nothing. False: nobody knows the secret (401). True: it takes time to tell (a token whose
   * signature has to be verified); `done` is called once, also in the same turn; it must not throw.
   */
  findLater?(secret: string, now: number, done: (result: LaterFind) => void): boolean;
}

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

/** Finds the owner of a secret. Fixed keys today, issued keys of the store later: same seam. */
export interface KeyRing {
  /** The key, or null when unknown or expired at `now` (epoch ms). Constant-time where secrets are compared. */
  find(secret: string, now: number): GatewayKey | null;
}

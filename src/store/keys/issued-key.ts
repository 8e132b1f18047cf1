/** One secret of a key: the secret itself is never kept. */
export interface KeySecret {
  /** HMAC-SHA256 of the whole key text, lower-case hex. */
  readonly hmac: string;
  /** Name of the pepper under which it was made. */
  readonly pepper: string;
  /** Epoch milliseconds from which it is refused; null = as long as the key lives. */
  readonly validUntil: number | null;
}

/** A key made at run time, as every store keeps it. Keys are never removed: a revoked one stays to be recognised. */
export interface IssuedKey {
  /** 8 base62 characters, public. */
  readonly id: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Globs over the model name that the client sent; null = all. */
  readonly models: readonly string[] | null;
  /** Globs over the client's path; null = all. */
  readonly endpoints: readonly string[] | null;
  /** Epoch milliseconds; null = never. */
  readonly expires: number | null;
  /** Free text of the operator's own; never interpreted. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Epoch milliseconds. */
  readonly created: number;
  /** Epoch milliseconds; null = not revoked. */
  readonly revoked: number | null;
  /** Newest first; at least one. */
  readonly secrets: readonly KeySecret[];
  /** 1 when made, one more with each change: of two versions of a key the higher one counts. */
  readonly revision: number;
  /** When and by whom this revision was made. */
  readonly changed: number;
  readonly changedBy: string;
}

/** Reads what `JSON.stringify(key)` wrote; null when it is something else. Never throws. */
export function parseIssuedKey(json: string): IssuedKey | null {
  try {
    const value: unknown = JSON.parse(json);
    return isIssuedKey(value) ? value : null;
  } catch {
    return null;
  }
}

/** What readers rely on; stores guard their bytes themselves. */
function isIssuedKey(value: unknown): value is IssuedKey {
  if (typeof value !== 'object' || value === null) return false;
  const key = value as Partial<Record<keyof IssuedKey, unknown>>;
  return (
    typeof key.id === 'string' &&
    Number.isSafeInteger(key.revision) &&
    isMap(key.labels) &&
    isMap(key.metadata) &&
    isList(key.models) &&
    isList(key.endpoints) &&
    isMoment(key.expires) &&
    isMoment(key.revoked) &&
    Array.isArray(key.secrets) &&
    key.secrets.every(isSecret)
  );
}

function isSecret(value: unknown): value is KeySecret {
  if (typeof value !== 'object' || value === null) return false;
  const { hmac, pepper, validUntil } = value as Partial<Record<keyof KeySecret, unknown>>;
  return typeof hmac === 'string' && /^[0-9a-f]{64}$/.test(hmac) && typeof pepper === 'string' && isMoment(validUntil);
}

function isMap(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isList(value: unknown): boolean {
  return value === null || Array.isArray(value);
}

function isMoment(value: unknown): boolean {
  return value === null || Number.isFinite(value);
}

/** Milliseconds that a `retry-after` header asks for (seconds or a date), at most an hour; null when it asks for nothing. */
export function retryAfterMs(header: string | null, now: number): number | null {
  if (header === null) return null;
  const seconds = /^\d{1,9}$/.test(header.trim()) ? Number(header) : null;
  const wait = seconds === null ? Date.parse(header) - now : seconds * 1000;
  return Number.isNaN(wait) ? null : Math.min(Math.max(0, wait), 3_600_000);
}

export interface Backoff {
  /** Wait after the first failure, milliseconds. */
  readonly firstMs: number;
  readonly mostMs: number;
}

/** Wait before the next try after `failures` in a row: doubled each time, half of it by chance, so that many do not come at once. */
export function backoffMs(failures: number, backoff: Backoff, random: () => number): number {
  const full = Math.min(backoff.mostMs, backoff.firstMs * 2 ** Math.min(30, Math.max(0, failures - 1)));
  return full * (0.5 + random() / 2);
}

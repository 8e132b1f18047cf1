/** Waiting times between restarts of one child: 100 ms, doubled up to 5 s, from the start again after 10 s of health. */
export const BACKOFF = { firstMs: 100, maxMs: 5_000, healthyMs: 10_000 } as const;

/**
 * Milliseconds to wait before the next start.
 *
 * @param previousMs the wait before the start that just ended, 0 when there was none
 * @param healthyForMs how long the child had been ready; null when it never was
 */
export function nextDelay(previousMs: number, healthyForMs: number | null): number {
  if (previousMs === 0) return BACKOFF.firstMs;
  if (healthyForMs !== null && healthyForMs >= BACKOFF.healthyMs) return BACKOFF.firstMs;
  return Math.min(previousMs * 2, BACKOFF.maxMs);
}

import { copyFileSync, statSync, truncateSync } from 'node:fs';

/**
 * Keeps a log that another process appends to below a size: copies it to `<path>.1` and empties it in place, so the
 * writer, which has it open for appending, goes on undisturbed. Lines written between the two steps are lost.
 */
export function capLog(path: string, maxBytes: number): void {
  try {
    if (statSync(path).size <= maxBytes) return;
    copyFileSync(path, `${path}.1`);
    truncateSync(path, 0);
  } catch {
    // No log yet, or a full disk: neither is a reason to disturb the gateway.
  }
}

import { setTimeout } from 'node:timers/promises';

/** Waits, but not beyond the signal; keeps no process alive. Never rejects. */
export async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await setTimeout(milliseconds, undefined, { signal, ref: false }).catch(() => undefined);
}

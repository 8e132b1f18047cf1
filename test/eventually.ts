import { setTimeout as pause } from 'node:timers/promises';

/** Waits until the look says true; rejects with what was waited for after a time that no working program needs. */
export async function eventually(
  what: string,
  look: () => boolean | Promise<boolean>,
  withinMs = 20_000,
): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!(await look())) {
    if (performance.now() > deadline) throw new Error(`not within ${withinMs} ms: ${what}`);
    await pause(5);
  }
}

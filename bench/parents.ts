const LOOK_MS = 500;

/**
 * Ends the bench when the script that started it, or the npm that started that one, is gone: nobody reads its results then.
 *
 * @param pids the nearest first, separated by commas; undefined where somebody may have left on purpose
 */
export function endWithParents(pids: string | undefined): void {
  const parents = pids?.split(',').map(Number) ?? [];
  if (parents.length === 0) return;
  setInterval(() => {
    if (process.ppid !== parents[0] || !parents.every(lives)) process.exit(1);
  }, LOOK_MS).unref();
}

function lives(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

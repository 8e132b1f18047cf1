import { spawn } from 'node:child_process';

/** `read` returns when the pipe's other end is closed, which the kernel does however this process dies. */
const SCRIPT = 'read -r word; test "$word" = done || kill -TERM "$1" 2>/dev/null';

/**
 * Ends process `pid` when this process dies, even by SIGKILL, so that no orphan keeps the gateway's port.
 * Returns the function that calls the watch off; to be called once `pid` has ended.
 */
export function endWithParent(pid: number): () => void {
  const watch = spawn('/bin/sh', ['-c', SCRIPT, 'sh', String(pid)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  watch.on('error', () => undefined);
  watch.stdin.on('error', () => undefined);
  watch.unref();
  return () => watch.stdin.end('done\n');
}

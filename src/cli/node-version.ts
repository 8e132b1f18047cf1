import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The oldest Node with everything that the service uses (`node:sqlite` without a flag). Same as `engines`. */
const OLDEST = [22, 13] as const;

/** True for `22.13.0` and newer. */
export function isSupported(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1]);
}

/** The Node that comes as a package with the project, looked for from `directory` upwards; null where there is none. */
export function bundledNode(directory: string): string | null {
  const file = join('node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node');
  for (let at = directory; ; at = dirname(at)) {
    if (existsSync(join(at, file))) return join(at, file);
    if (at === dirname(at)) return null;
  }
}

/**
 * Under a supported Node does nothing. Under an older one runs the same command with the bundled Node in this process's
 * place and ends with its exit code, or says what is needed and ends with 1. Loads nothing that an old Node could not.
 */
export async function requireSupportedNode(): Promise<void> {
  if (isSupported(process.versions.node)) return;
  const node = bundledNode(dirname(fileURLToPath(import.meta.url)));
  if (node !== null) process.exit(await runInPlace(node, [...process.execArgv, ...process.argv.slice(1)]));
  process.stderr.write(
    `tollgate: Node ${OLDEST.join('.')} or newer is needed, this is ${process.versions.node} (${process.execPath}).\n` +
      'Run `npm run setup` in the project (on Linux it brings Node 24 along), or install Node 24.\n',
  );
  process.exit(1);
}

/** Same terminal, signals passed on; resolves to the exit code, 128 + number after a signal. */
function runInPlace(command: string, args: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: 'inherit' });
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const) {
      // Ctrl-C reaches the whole foreground group: the child has it already.
      process.on(signal, () => (signal === 'SIGINT' && process.stdin.isTTY ? undefined : child.kill(signal)));
    }
    child.on('error', reject);
    child.on('exit', (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
  });
}

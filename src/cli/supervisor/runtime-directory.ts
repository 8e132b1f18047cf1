import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { UserError } from '../user-error.js';

/** `sun_path` holds 108 bytes on Linux and 104 on macOS, the closing zero included. */
const SOCKET_PATH_BYTES = 100;

/** Of a process among a thousand workers. */
const LARGEST_SOCKET_NAME = 'worker-1023-999999.sock';

const PID_FILE = /^(service|service-worker-\d+|envoy)\.pid$/;
const VOLATILE = /^(\.?extproc.*\.sock(\.\d+)?|worker-\d+-\d+\.sock|totals-\d+\.prom|addresses\.json|.*\.partial)$/;

/** A runtime directory held by this process: nobody else supervises from it. */
export interface RuntimeDirectory {
  readonly path: string;
  /** Where the sockets are: the same directory, or a short temporary one. */
  readonly sockets: string;
  writePid(name: string, pid: number): void;
  /** Writes a file so that readers see the old content or the new one. */
  write(name: string, content: string): void;
  /** Removes what describes the running gateway (pids, addresses, sockets). */
  release(): void;
}

/**
 * Creates the directory (0700), takes its lock (`up.pid`), ends an Envoy or service that a killed supervisor left behind and
 * removes stale sockets and pids.
 *
 * @throws UserError when a living `tollgate up` uses the directory already
 */
export async function holdRuntimeDirectory(path: string): Promise<RuntimeDirectory> {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  chmodSync(path, 0o700);
  lock(path);
  const left = readdirSync(path).filter((name) => PID_FILE.test(name));
  await Promise.all(left.map((name) => endLeftover(join(path, name))));
  removeVolatile(path);
  const sockets = socketDirectory(path);
  return {
    path,
    sockets,
    writePid: (name, pid) => writeAtomically(join(path, `${name}.pid`), `${pid}\n`),
    write: (name, content) => writeAtomically(join(path, name), content),
    release: () => {
      removeVolatile(path);
      rmSync(join(path, 'up.pid'), { force: true });
      if (sockets !== path) rmSync(sockets, { recursive: true, force: true });
    },
  };
}

/** The directory itself, or a new short one when a socket's path in it would be too long for the kernel. */
export function socketDirectory(path: string): string {
  if (Buffer.byteLength(join(path, LARGEST_SOCKET_NAME)) <= SOCKET_PATH_BYTES) return path;
  const parent = Buffer.byteLength(tmpdir()) > 60 ? '/tmp' : tmpdir();
  return mkdtempSync(join(parent, 'tollgate-'));
}

function lock(path: string): void {
  const file = join(path, 'up.pid');
  for (let attempt = 0; attempt < 2; attempt += 1) {
    try {
      writeFileSync(file, `${process.pid}\n`, { flag: 'wx' });
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const owner = readPid(file);
    if (owner !== null && isOurs(owner)) {
      throw new UserError(
        `tollgate is already running from ${path} (pid ${owner}).\n` +
          `Stop it with: kill ${owner}\n` +
          'To run a second gateway, give it its own runtime_directory, ledger.directory, gateway.listen, admin.listen and envoy.admin.',
      );
    }
    rmSync(file, { force: true });
  }
  throw new UserError(`another tollgate is starting from ${path} at this moment`);
}

async function endLeftover(file: string): Promise<void> {
  const pid = readPid(file);
  rmSync(file, { force: true });
  if (pid === null || !isOurs(pid)) return;
  process.kill(pid, 'SIGTERM');
  for (let waited = 0; waited < 3_000 && isAlive(pid); waited += 50) await sleep(50);
  if (isAlive(pid)) process.kill(pid, 'SIGKILL');
  for (let waited = 0; waited < 1_000 && isAlive(pid); waited += 50) await sleep(50);
}

function removeVolatile(path: string): void {
  for (const name of readdirSync(path)) {
    if (VOLATILE.test(name) || PID_FILE.test(name)) rmSync(join(path, name), { force: true });
  }
}

function writeAtomically(file: string, content: string): void {
  const partial = `${file}.partial`;
  writeFileSync(partial, content, { mode: 0o600 });
  renameSync(partial, file);
}

function readPid(file: string): number | null {
  try {
    const pid = Number.parseInt(readFileSync(file, 'utf8'), 10);
    return Number.isSafeInteger(pid) && pid > 0 ? pid : null;
  } catch {
    return null;
  }
}

/** Alive, not this process (a container's first process has the same pid each time), and by its command line one of ours. */
function isOurs(pid: number): boolean {
  if (pid === process.pid || !isAlive(pid)) return false;
  try {
    return /tollgate|main\.js|envoy/.test(readFileSync(`/proc/${pid}/cmdline`, 'utf8'));
  } catch {
    // No /proc (macOS): a living process with this pid has to be believed.
    return true;
  }
}

/** False also for a zombie: it holds no port and no file any more. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return true;
  }
}

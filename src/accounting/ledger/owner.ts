import { mkdirSync, readFileSync, readlinkSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';

/** Who writes a boot directory. A pid alone may be reused; with its start time and the machine's boot it may not. */
export interface Owner {
  readonly pid: number;
  /** Start time of the process in clock ticks since the machine's boot; null where there is no /proc. */
  readonly started: string | null;
  /** Kernel boot and pid namespace, or the host's name: pids are comparable only inside one of these. */
  readonly machine: string;
  /** Which of several service processes of one gateway it is; absent = 0. */
  readonly worker?: number;
}

const OWNER_FILE = 'owner.json';
const RELEASED_FILE = 'released';

/** The owner of another container or machine shows that it lives by touching its file this often. */
export const HEARTBEAT_MS = 2_000;
const HEARTBEAT_LOST_MS = 8_000;

/** This process. */
export function currentOwner(): Owner {
  return { pid: process.pid, started: processStart(process.pid), machine: machineName() };
}

/**
 * Makes `parent/name` with the owner in it, in one step that only one process can win: a prepared directory is renamed, and
 * renaming onto a directory that is not empty fails. Returns false when the name is taken. Throws on other errors.
 */
export function claimDirectory(parent: string, name: string, owner: Owner): boolean {
  const prepared = join(parent, `.claim-${owner.pid}-${process.hrtime.bigint()}`);
  mkdirSync(prepared, { mode: 0o700 });
  try {
    writeFileSync(join(prepared, OWNER_FILE), JSON.stringify(owner));
    renameSync(prepared, join(parent, name));
    return true;
  } catch (error) {
    rmSync(prepared, { recursive: true, force: true });
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOTEMPTY' || code === 'EEXIST') return false;
    throw error;
  }
}

/** Says that the owner is done with the directory although its process lives on. */
export function releaseDirectory(directory: string): void {
  writeFileSync(join(directory, RELEASED_FILE), '');
}

/** Path to touch as a heartbeat. */
export function heartbeatPath(directory: string): string {
  return join(directory, OWNER_FILE);
}

/** Whether the process that claimed the directory still runs and has not released it. */
export function hasLivingOwner(directory: string): boolean {
  if (exists(join(directory, RELEASED_FILE))) return false;
  const path = join(directory, OWNER_FILE);
  const owner = readOwner(path);
  if (owner && owner.machine === machineName()) return isRunning(owner);
  // File times come from the real clock, so this is compared with no other.
  const touched = modifiedAt(path);
  return touched !== null && Date.now() - touched < HEARTBEAT_LOST_MS;
}

/** The worker that the owner was, 0 also when its file cannot be read. */
export function workerOf(directory: string): number {
  return readOwner(heartbeatPath(directory))?.worker ?? 0;
}

function isRunning(owner: Owner): boolean {
  if (owner.started !== null) return processStart(owner.pid) === owner.started;
  try {
    process.kill(owner.pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function readOwner(path: string): Owner | null {
  try {
    const value: Partial<Owner> = JSON.parse(readFileSync(path, 'utf8'));
    if (typeof value.pid !== 'number' || typeof value.machine !== 'string') return null;
    const { worker = 0 } = value;
    return { pid: value.pid, started: value.started ?? null, machine: value.machine, worker };
  } catch {
    return null;
  }
}

/** Field 22 of /proc/<pid>/stat, counted after the command name, which may hold spaces. A zombie runs no more. */
function processStart(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? null : (fields[19] ?? null);
  } catch {
    return null;
  }
}

let machine: string | null = null;

/** Stays the same while the process lives, and is asked for every second. */
function machineName(): string {
  machine ??= readMachineName();
  return machine;
}

function readMachineName(): string {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
    return `${boot} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return hostname();
  }
}

function exists(path: string): boolean {
  return modifiedAt(path) !== null;
}

function modifiedAt(path: string): number | null {
  try {
    return statSync(path).mtimeMs;
  } catch {
    return null;
  }
}

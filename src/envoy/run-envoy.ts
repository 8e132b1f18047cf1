import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Address } from '../config/snapshot.js';
import { activeRequests, adminAddress, askEnvoy } from './envoy-admin.js';
import { capLog } from './log-cap.js';
import { endWithParent } from './parent-watch.js';

const MAX_LOG_BYTES = 16 * 1024 * 1024;
const LOG_CHECK_MS = 30_000;
const ADMIN_START_MS = 15_000;
const EXIT_MS = 5_000;
const DRAIN_POLL_MS = 100;
/** How long new connections are still taken after a drain has begun, while clients are told to go. */
const DRAIN_SECONDS = 2;

export interface EnvoyStart {
  /** Path of the binary. */
  readonly binary: string;
  readonly bootstrapPath: string;
  /** Envoy's own log, appended to and kept below 16 MiB. Its directory is made. */
  readonly logPath: string;
  /** Envoy writes its admin's real address here. Its directory is made. */
  readonly adminAddressPath: string;
  /** Worker threads. */
  readonly concurrency: number;
  /** Called once, when the process has ended for whatever reason. */
  readonly onExit: (exit: EnvoyExit) => void;
}

export interface EnvoyExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface RunningEnvoy {
  readonly pid: number;
  readonly exited: Promise<EnvoyExit>;
  /** Resolves when the admin listens; rejects after 15 s or when Envoy has ended before. */
  admin(): Promise<Address>;
  /** Drains, waits at most `drainMs` for requests under way, then ends the process. Resolves when it is gone. */
  stop(drainMs: number): Promise<void>;
}

/** Starts Envoy as a child that dies with us, but not by our terminal's Ctrl-C. Throws when it cannot be started. */
export function startEnvoy(start: EnvoyStart): RunningEnvoy {
  for (const path of [start.logPath, start.adminAddressPath]) mkdirSync(dirname(path), { recursive: true });
  rmSync(start.adminAddressPath, { force: true });
  const child = spawnEnvoy(start);
  const pid = child.pid;
  const exited = new Promise<EnvoyExit>((resolve) => {
    child.once('error', () => resolve({ code: 127, signal: null }));
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
  if (pid === undefined) throw new Error(`cannot start ${start.binary}`);
  const callOff = endWithParent(pid);
  const logTimer = setInterval(() => capLog(start.logPath, MAX_LOG_BYTES), LOG_CHECK_MS);
  logTimer.unref();
  void exited.then((exit) => {
    callOff();
    clearInterval(logTimer);
    start.onExit(exit);
  });
  const admin = () => Promise.race([adminAddress(start.adminAddressPath, ADMIN_START_MS), endedEarly(exited)]);
  return { pid, exited, admin, stop: (drainMs) => stop(child, { exited, admin }, drainMs) };
}

function spawnEnvoy(start: EnvoyStart): ChildProcess {
  capLog(start.logPath, MAX_LOG_BYTES);
  const log = openSync(start.logPath, 'a');
  const parameters = [
    ['--config-path', start.bootstrapPath],
    ['--admin-address-path', start.adminAddressPath],
    ['--concurrency', String(start.concurrency)],
    // The access log is the second meter: a kill of Envoy loses what was not flushed.
    ['--file-flush-interval-msec', '50'],
    ['--drain-time-s', String(DRAIN_SECONDS)],
    ['--drain-strategy', 'immediate'],
    ['--log-level', 'warning'],
  ].flat();
  try {
    return spawn(start.binary, [...parameters, '--use-dynamic-base-id'], {
      stdio: ['ignore', log, log],
      detached: true,
    });
  } finally {
    closeSync(log);
  }
}

async function endedEarly(exited: Promise<EnvoyExit>): Promise<never> {
  const { code, signal } = await exited;
  throw new Error(`Envoy ended with ${signal ?? code} before its admin listened; its log says why`);
}

type Parts = Pick<RunningEnvoy, 'exited' | 'admin'>;

async function stop(child: ChildProcess, parts: Parts, drainMs: number): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  if (drainMs > 0) await drain(parts, drainMs);
  child.kill('SIGTERM');
  const lastResort = setTimeout(() => child.kill('SIGKILL'), EXIT_MS);
  await parts.exited;
  clearTimeout(lastResort);
}

/** Tells clients to go and waits until none is left. An admin that cannot be asked ends the wait. */
async function drain(parts: Parts, drainMs: number): Promise<void> {
  const deadline = Date.now() + drainMs;
  let gone = false;
  void parts.exited.then(() => {
    gone = true;
  });
  try {
    const address = await parts.admin();
    await askEnvoy(address, '/drain_listeners?graceful', 'POST');
    while (!gone && Date.now() < deadline && (await activeRequests(address)) > 0) await pause(DRAIN_POLL_MS);
  } catch {
    // Already ending, or no admin: the signal comes next.
  }
}

import { type ChildProcess, spawn } from 'node:child_process';
import { isServiceMessage } from '../service-message.js';
import type { SupervisorEvent } from './events.js';
import type { Child } from './supervise.js';

/** How to run `tollgate serve`. */
export interface ServiceCommand {
  /** The compiled main file. */
  readonly main: string;
  /** Arguments after `serve` that are the same for every generation. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where its log goes: `inherit` = to our own output, a number = an open file. */
  readonly output: 'inherit' | number;
}

/**
 * Half of what V8 takes for young objects by itself, at the same CPU per request: a third less memory. Smaller ones cost CPU
 * (docs/performance.md). What `NODE_OPTIONS` says counts. The service's threads have their own (heap-limits.ts).
 */
const SEMI_SPACE = '--max-semi-space-size';
const SEMI_SPACE_MIB = 16;
/**
 * Only where nobody has set it. glibc keeps memory by thread: with one arena what one thread frees is there for all. From 32 KiB on,
 * which are the pieces that V8 compiles in, each is a mapping of its own and goes back to the system at once: in the one arena they would
 * stay, 15 to 35 MiB after a warm-up.
 */
const ENVIRONMENT = { MALLOC_ARENA_MAX: '1', MALLOC_MMAP_THRESHOLD_: '32768' };

function nodeOptions(env: ServiceCommand['env']): readonly string[] {
  return env['NODE_OPTIONS']?.includes(SEMI_SPACE) ? [] : [`${SEMI_SPACE}=${SEMI_SPACE_MIB}`];
}

export interface ServicePlace {
  readonly generation: number;
  readonly worker: number;
  /** In all. */
  readonly workers: number;
}

/** Starts one generation of the service and translates its messages and its end into events. */
export function startServiceProcess(
  command: ServiceCommand,
  { generation, worker, workers }: ServicePlace,
  report: (event: SupervisorEvent) => void,
): Child {
  const several = workers === 1 ? [] : ['--worker', String(worker), '--workers', String(workers)];
  const numbers = ['--generation', String(generation), ...several];
  const child = spawn(
    process.execPath,
    [...nodeOptions(command.env), command.main, 'serve', ...numbers, ...command.args],
    // Its own process group: Ctrl-C in the terminal is for the supervisor, which stops things in the right order.
    {
      stdio: ['ignore', command.output, command.output, 'ipc'],
      detached: true,
      env: { ...ENVIRONMENT, ...command.env },
    },
  );
  child.on('message', (message) => {
    if (!isServiceMessage(message) || message.type !== 'ready') return;
    report({ type: 'service_ready', generation, admin: message.admin, socket: message.socket });
  });
  reportEnd(child, (reason) => report({ type: 'service_exited', generation, reason }));
  return { pid: child.pid, signal: (name) => child.kill(name) };
}

/** Calls back once: a child that could not be started says `error` only. */
export function reportEnd(child: ChildProcess, ended: (reason: string) => void): void {
  let done = false;
  const once = (reason: string) => {
    if (done) return;
    done = true;
    ended(reason);
  };
  child.on('error', (error) => {
    // Also sent for a message that found no channel; the process itself goes on then.
    if (child.pid === undefined) once(error.message);
  });
  child.on('exit', (code, signal) => once(signal === null ? `exit code ${code}` : signal));
}

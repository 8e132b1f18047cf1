import { type ChildProcess, fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { killFamily } from './family.js';
import type { Kept } from './keeper.js';

let keeper: ChildProcess | null = null;

/** Ends a process with all that it started, and removes a directory, when the bench is gone, for whatever reason. */
export function keep(what: Kept): void {
  keeper ??= startKeeper();
  keeper.send(what);
}

function startKeeper(): ChildProcess {
  const child = fork(fileURLToPath(new URL('./keeper.js', import.meta.url)), {
    detached: true,
    execArgv: [],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  // Without it a bench runs as well.
  child.on('error', () => undefined);
  child.unref();
  child.channel?.unref();
  return child;
}

/** The next message of a process. @throws Error if it ends before, or says nothing for `milliseconds` */
export function messageOf<Message>(child: ChildProcess, what: string, milliseconds?: number): Promise<Message> {
  return new Promise((resolve, reject) => {
    const timer = milliseconds && setTimeout(() => settle(() => reject(silent(what, milliseconds))), milliseconds);
    const message = (told: unknown): void => settle(() => resolve(told as Message));
    const exit = (): void => settle(() => reject(new Error(`${what} ended ${reasonOf(child)}`)));
    const settle = (then: () => void): void => {
      if (timer) clearTimeout(timer);
      child.off('message', message).off('exit', exit).off('error', exit);
      then();
    };
    child.on('message', message).on('exit', exit).on('error', exit);
    if (ended(child)) exit();
  });
}

/** Waits for a file that a process writes when it is ready. @throws Error if it ends before, or takes too long */
export async function fileOf(child: ChildProcess, file: string, what: string): Promise<void> {
  const until = Date.now() + START_MS;
  while (!existsSync(file)) {
    if (ended(child)) throw new Error(`${what} ended ${reasonOf(child)} before it listened`);
    if (Date.now() > until) throw silent(what, START_MS);
    await wait(50);
  }
}

/** Asks it to end, then asks it not to wait for anybody, then ends it. */
export async function stopChild(child: ChildProcess): Promise<void> {
  if (ended(child)) return;
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
  });
  child.kill('SIGTERM');
  const again = setTimeout(() => child.kill('SIGTERM'), IMPATIENT_MS);
  const last = setTimeout(() => killFamily(child.pid ?? 0), 2 * IMPATIENT_MS);
  await exited;
  clearTimeout(again);
  clearTimeout(last);
}

/** What a gateway or the provider takes to start, at the very most. */
export const START_MS = 60_000;
const IMPATIENT_MS = 5000;

function ended({ exitCode, signalCode, pid }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null || pid === undefined;
}

function reasonOf({ exitCode, signalCode }: ChildProcess): string {
  return signalCode === null ? `with code ${exitCode}` : `by ${signalCode}`;
}

function silent(what: string, milliseconds: number): Error {
  return new Error(`${what} was not ready within ${milliseconds / 1000} s`);
}

import { readdirSync, readlinkSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { workerSocket } from '../../envoy/options.js';

/** The name of Envoy's pipe path: a symlink to the socket of the generation in charge. */
export const PIPE_NAME = 'extproc.sock';

/** The same for each of several workers. */
function pipeName(worker: number): string {
  return workerSocket(PIPE_NAME, worker);
}

/** `extproc-<generation>.sock`. */
export function socketName(generation: number): string {
  return `extproc-${generation}.sock`;
}

/**
 * Points `extproc.sock`, or the path of another worker, beside the socket at it, atomically: Envoy, which resolves the link at each connect, finds either
 * the old or the new target and never nothing. Binding the shared path itself would not do: the old server unlinks the path
 * it was bound to when it closes, and so would remove its successor's socket.
 */
export function linkSocket(socket: string, worker = 0): void {
  const directory = dirname(socket);
  const name = pipeName(worker);
  const temporary = join(directory, `.${name}.${process.pid}`);
  rmSync(temporary, { force: true });
  symlinkSync(basename(socket), temporary);
  renameSync(temporary, join(directory, name));
}

/** The generation behind the link, or 0 when there is none. */
export function linkedGeneration(directory: string, worker = 0): number {
  try {
    return Number(/^extproc-(\d+)\.sock$/.exec(basename(readlinkSync(join(directory, pipeName(worker)))))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

/** A number above those of the link and of every socket there, also of sockets that a killed service left behind. */
export function nextGeneration(directory: string): number {
  const numbers = readdirSync(directory).map((name) => Number(/^extproc-(\d+)\.sock$/.exec(name)?.[1] ?? 0));
  return Math.max(linkedGeneration(directory), ...numbers, 0) + 1;
}

/** Removes the link if it still points at this socket: a successor's link stays. */
export function unlinkSocket(socket: string, worker = 0): void {
  const directory = dirname(socket);
  const generation = linkedGeneration(directory, worker);
  if (generation > 0 && socketName(generation) === basename(socket))
    rmSync(join(directory, pipeName(worker)), { force: true });
}

import { getPriority, setPriority } from 'node:os';

/** Of the kernel's: under full load such a thread still gets a quarter of what another gets. */
const NICENESS = 5;
const LEAST_URGENT = 19;

/**
 * Lets a thread whose work nobody waits for give way to those that answer requests: on few cores a batch of records would
 * otherwise hold up Envoy or the event loop for milliseconds. Called by the thread itself, once. Linux only, where a priority is one
 * thread's; elsewhere it would be the whole process's.
 */
export function giveWay(): void {
  if (process.platform === 'linux') setPriority(Math.min(LEAST_URGENT, getPriority() + NICENESS));
}

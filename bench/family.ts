import { readFileSync } from 'node:fs';
import { familyOf } from './cpu.js';

/**
 * Which process has this number now: its start, in the kernel's ticks; null if there is none. A number alone may belong to
 * somebody else later. Source: proc(5), stat; where there is no such file, all are taken for the same.
 */
export function startOf(pid: number): string | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [state = '', ...fields] = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return state === 'Z' || state === 'X' ? null : (fields[18] ?? '');
  } catch {
    return process.platform === 'linux' ? null : '';
  }
}

/** Ends a process with all that it started, at once. One whose parent is gone is no family any more. */
export function killFamily(pid: number): void {
  // The eldest first: it starts others in place of those that end.
  for (const member of familyOf(pid)) {
    try {
      process.kill(member, 'SIGKILL');
    } catch {
      // It ended meanwhile.
    }
  }
}

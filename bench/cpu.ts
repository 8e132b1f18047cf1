import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

/** CPU time of a process with all its threads so far, in microseconds. Source: proc(5), schedstat. */
export function cpuMicros(pid: number): number {
  let nanos = 0;
  for (const task of listTasks(pid)) {
    try {
      nanos += Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]);
    } catch {
      // The thread ended between listing and reading.
    }
  }
  return nanos / 1000;
}

/** The same with all processes that it started and they started. Those that have ended are not in it. */
export function familyMicros(pid: number): number {
  return familyOf(pid).reduce((sum, member) => sum + cpuMicros(member), 0);
}

/** A process, then its children, theirs and so on. Source: proc(5), task/children. */
export function familyOf(pid: number): number[] {
  const children = new Set<number>();
  for (const task of listTasks(pid)) {
    try {
      const text = readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8');
      for (const child of text.split(' ').filter(Boolean)) children.add(Number(child));
    } catch {
      // The thread ended, or this kernel does not tell.
    }
  }
  return [pid, ...[...children].flatMap(familyOf)];
}

function listTasks(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}

/** The same by thread name; threads of one name are added up. The main thread is called `main`. */
export function threadMicros(pid: number): ReadonlyMap<string, number> {
  const threads = new Map<string, number>();
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    try {
      const nanos = Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]);
      const name = Number(task) === pid ? 'main' : readFileSync(`/proc/${pid}/task/${task}/comm`, 'utf8').trim();
      threads.set(name, (threads.get(name) ?? 0) + nanos / 1000);
    } catch {
      // The thread ended between listing and reading.
    }
  }
  return threads;
}

/** Resident memory in MiB. */
export function residentMebibytes(pid: number): number {
  const line = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(line?.[1] ?? 0) / 1024;
}

/** The most it has been, in MiB, since it began or `forgetPeak` was called. */
export function peakMebibytes(pid: number): number {
  const line = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(line?.[1] ?? 0) / 1024;
}

/** Source: proc(5), clear_refs. */
export function forgetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}

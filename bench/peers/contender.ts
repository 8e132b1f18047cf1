import { familyMicros, familyOf, residentMebibytes } from '../cpu.js';
import type { System } from '../systems.js';

/** A system of the comparison, and how it may be asked. */
export interface Contender {
  readonly system: System;
  /** Statuses of its answers to wrong keys, that of the first one first; empty if it has no keys of its own. */
  readonly refusals: readonly number[];
  /** Whether 100 requests a second are well below what it can do. */
  readonly quick: boolean;
  /** Seconds of JSON before the first measurement, then half of that of streams: code that is compiled while it runs needs many requests. */
  readonly warmUp: number;
}

/** CPU time so far of all processes, in microseconds. */
export function cpuSoFar({ parts }: System): number {
  return Object.values(parts()).reduce((sum, pid) => sum + familyMicros(pid), 0);
}

/** Resident memory in MiB of all processes; pages that they share are counted for each. */
export function memoryOf({ parts }: System): number {
  return Object.values(parts())
    .flatMap(familyOf)
    .reduce((sum, pid) => sum + residentMebibytes(pid), 0);
}

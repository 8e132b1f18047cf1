import { familyOf, residentMebibytes } from '../cpu.js';
import type { System } from '../systems.js';

/** A system of the comparison, and how it may be asked. */
export interface Contender {
  readonly system: System;
  /** Statuses of its answers to wrong keys, that of the first one first; empty if it has no keys of its own. */
  readonly refusals: readonly number[];
  /** Whether 100 requests a second are well below what it can do. */
  readonly quick: boolean;
  /** Seconds of each load before the first measurement: code that is compiled while it runs needs many requests. */
  readonly warmUp: number;
}

/** Resident memory in MiB of all processes; pages that they share are counted for each. */
export function memoryOf({ parts }: System): number {
  return Object.values(parts())
    .flatMap(familyOf)
    .reduce((sum, pid) => sum + residentMebibytes(pid), 0);
}

import type { FinalEntry, HoldEntry } from './entry.js';

/** The append-only truth about money. One writer per process. */
export interface Ledger {
  /**
   * Writes the hold with the others of this tick, then calls back: without an argument once `write()` has returned (the
   * entry survives SIGKILL), with an error when it cannot be written (the request must be refused: `ledger_unavailable`).
   */
  hold(entry: HoldEntry, done: (error?: Error) => void): void;
  /** Writes the one final entry of a request. Never fails for the caller: when the disk refuses, it waits in a bounded ring. */
  finish(entry: FinalEntry): void;
  /** False while entries wait in the ring or the last write failed; then `/readyz` says so. */
  readonly writable: boolean;
  /** Flushes, fsyncs, releases the lock. */
  close(): Promise<void>;
}

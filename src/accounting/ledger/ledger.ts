import type { FinalEntry, HoldEntry, LedgerEntry } from './entry.js';
import type { SegmentPosition } from './segment-writer.js';

/** What a writer tells of its own boot, so that nobody of its process has to read it back. */
export interface WrittenBoot {
  /** Name of its directory below the ledger directory. */
  readonly boot: string;
  /** Behind the last entry that the listener was told of. */
  readonly position: SegmentPosition;
  /**
   * Tells each entry in the order of the file, in the turn in which the disk has taken it: never one that is refused, lost, or still
   * waits in the ring. For one listener, which must not throw. Throws an Error when something has been written before.
   */
  follow(listener: (entry: LedgerEntry) => void): void;
}

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

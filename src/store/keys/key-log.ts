import type { IssuedKey } from './issued-key.js';

/** Where a log of key revisions stands. */
export interface Head {
  /** Another one means another log: everything is read again. Empty = nothing was ever written. */
  readonly epoch: string;
  /** Grows with each write. */
  readonly position: number;
}

/** Some revisions in the order in which they were written. */
export interface Changes {
  readonly keys: readonly IssuedKey[];
  /** Where to go on. */
  readonly position: number;
  /** True when nothing more is there now. */
  readonly last: boolean;
  /** What could not be read, in words. */
  readonly damages: readonly string[];
}

/** `next`: only on top of the revision before it. `newest`: whatever is there, unless it is as new. */
export type WriteRule = 'next' | 'newest';

export interface Write {
  readonly key: IssuedKey;
  readonly rule: WriteRule;
  /** How far the writer has read. */
  readonly position: number;
}

/** The little that a kind of storage has to do; `FollowedKeys` makes a key store of it. All methods reject when it cannot be reached. */
export interface KeyLog {
  head(): Promise<Head>;
  /** From `position` on; 0 = from the beginning. */
  changes(position: number): Promise<Changes>;
  /** False when the rule forbids it. Resolves when the key would survive a crash. */
  write(write: Write): Promise<boolean>;
  close(): Promise<void>;
}

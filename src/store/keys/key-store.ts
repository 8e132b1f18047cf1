import type { IssuedKey } from './issued-key.js';

/** Who follows a store: usually the keys in memory. */
export interface KeyFollower {
  /** Keys as the store has them, in pieces small enough for the event loop. Some may be known already or be older. */
  learn(keys: readonly IssuedKey[]): void;
  /** Everything learned so far, for a store that has lost its memory. */
  known(): Iterable<IssuedKey>;
  /** Something an operator should know: damage in the file, a store that was empty. Without secrets. */
  problem(message: string): void;
  /** How it stands between the process and the store; told when it changes. */
  stands(state: KeyStoreState): void;
}

export interface KeyStoreState {
  /** Why the store cannot be reached, in words without addresses; null = it can. */
  readonly trouble: string | null;
  /** All keys were read once. */
  readonly loaded: boolean;
}

export type PutResult =
  | { readonly kind: 'stored' }
  /** Somebody else changed the key meanwhile; the follower has learned it. */
  | { readonly kind: 'conflict' }
  /** The store cannot be reached; after a timeout it is unknown whether the key was stored. */
  | { readonly kind: 'unavailable'; readonly error: Error };

/** Where issued keys persist. Every process keeps all of them in memory and never asks the store about a request. */
export interface KeyStore {
  /**
   * Tells the follower every key and, from then on, every change within a second, whoever made it. Resolves after the first
   * reading or, when the store cannot be reached, at once: the follower is told and the reading is tried again until it works.
   */
  follow(follower: KeyFollower): Promise<void>;
  /** Stores revision `n` only on top of revision `n - 1` (1: only when there is none). Needs a follower. */
  put(key: IssuedKey): Promise<PutResult>;
  /** Looks for news at once instead of at the next interval; calls that meet share one look. Never rejects. */
  look(): Promise<void>;
  close(): Promise<void>;
}

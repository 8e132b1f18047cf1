import type { Address, Snapshot } from './config/snapshot.js';

/** What `serve` needs to know beyond the config file. */
export interface StartOptions {
  /** Config file, or null for the built-in default (mock + providers found in the environment). */
  readonly configPath: string | null;
  /** Number of this service generation: 1 on a first start; names the socket `extproc-<n>.sock`. */
  readonly generation: number;
  /** Environment for `${VAR}` in the config. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Real addresses when the config says port 0 and somebody else (the supervisor) has chosen them. */
  readonly listen: Address | null;
  readonly envoyAdmin: Address | null;
  /**
   * The same for the admin listener; null or absent = as configured. From generation 2 on the older generation still holds
   * it: `start` resolves without waiting for it and goes on trying to bind until it succeeds.
   */
  readonly adminListen?: Address | null;
  /** Where `extproc-<n>.sock` and `cds.json` are, absolute, existing; null or absent = the snapshot's `runtimeDirectory`. */
  readonly runtimeDirectory?: string | null;
  /** The key of a gateway without a config file (design 6.3); null or absent = none. */
  readonly firstKey?: string | null;
}

export interface Running {
  readonly snapshot: () => Snapshot;
  readonly adminAddress: Address;
  /** Rebuilds from the config file; resolves to the problems (empty = new snapshot in use). */
  reload(): Promise<readonly string[]>;
  /** Stops taking streams, lets running ones finish (at most `graceMs`), settles, flushes. */
  stop(graceMs: number): Promise<void>;
}

/** Composition root: builds every part of the service and connects them. */
export async function start(_options: StartOptions): Promise<Running> {
  throw new Error('unfinished');
}

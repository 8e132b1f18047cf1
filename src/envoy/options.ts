import { join } from 'node:path';
import type { Snapshot } from '../config/snapshot.js';

/** The part of a snapshot that Envoy's configuration is made from. */
export type EnvoySettings = Pick<Snapshot, 'gateway' | 'envoy' | 'providers'>;

/** Where things lie on the machine on which Envoy runs. All paths absolute. */
export interface BootstrapOptions {
  /** Unix socket (or the symlink to it) on which the service takes ext_proc streams. */
  readonly socket: string;
  /** The file with the provider clusters, watched by Envoy; null puts them into the bootstrap itself. */
  readonly cdsPath: string | null;
  /** JSON lines, one for each request. Its directory must exist when Envoy starts. */
  readonly accessLogPath: string;
  /** JSON lines, one for each failed attempt at a provider. Its directory must exist when Envoy starts. */
  readonly attemptLogPath: string;
  /** PEM file against which providers' certificates are checked. */
  readonly caBundle: string;
  /** How long Envoy waits for one answer of the `request` role. Default 5000. */
  readonly messageTimeoutMs?: number;
}

/** Where worker `index` takes streams: the first one at `socket`, the others beside it. */
export function workerSocket(socket: string, index: number): string {
  return index === 0 ? socket : socket.replace(/\.sock$/, `-worker-${index}.sock`);
}

/** The usual places below the runtime and data directories of a snapshot. */
export function standardPaths(
  snapshot: Pick<Snapshot, 'runtimeDirectory' | 'dataDirectory'>,
): Omit<BootstrapOptions, 'caBundle'> & { readonly cdsPath: string } {
  return {
    socket: join(snapshot.runtimeDirectory, 'extproc.sock'),
    cdsPath: join(snapshot.runtimeDirectory, 'cds.json'),
    accessLogPath: join(snapshot.dataDirectory, 'envoy', 'access.jsonl'),
    attemptLogPath: join(snapshot.dataDirectory, 'envoy', 'attempts.jsonl'),
  };
}

import { join } from 'node:path';
import type { Address, Snapshot } from '../config/snapshot.js';
import { findCaBundle } from '../envoy/ca-bundle.js';
import { renderClusters, writeClusters } from '../envoy/cds.js';
import { waitForClusters } from '../envoy/envoy-admin.js';
import { clusterName } from '../envoy/names.js';

export interface ClusterOptions {
  /** Where `cds.json` lies. */
  readonly directory: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly envoyAdmin: () => Address;
}

/** A snapshot whose clusters Envoy does not list yet would send requests nowhere; without an admin to ask, this is enough. */
const WAIT_MS = 2000;

/** Keeps Envoy's provider clusters in step with the configuration. */
export class ProviderClusters {
  readonly #options: ClusterOptions;
  readonly #caBundle: string;

  constructor(options: ClusterOptions) {
    this.#options = options;
    this.#caBundle = findCaBundle(join(options.directory, 'ca.pem'), options.env);
  }

  /** Writes the clusters of a snapshot; Envoy reads them when it sees the rename. */
  async write(snapshot: Snapshot): Promise<string> {
    const update = renderClusters(snapshot, { caBundle: this.#caBundle });
    await writeClusters(join(this.#options.directory, 'cds.json'), update);
    return update.version_info;
  }

  /** Writes them and waits until Envoy serves them, two seconds at most. */
  async apply(snapshot: Snapshot): Promise<void> {
    const version = await this.write(snapshot);
    const names = [...snapshot.providers.keys()].map(clusterName);
    await waitForClusters(this.#options.envoyAdmin(), { version, names }, WAIT_MS);
  }

  /** For processes that leave the writing to another one: waits in the same way. `exact`: as it writes them from this snapshot. */
  async follow(snapshot: Snapshot, { exact }: { readonly exact: boolean }): Promise<void> {
    const { version_info: version } = renderClusters(snapshot, { caBundle: this.#caBundle });
    const names = [...snapshot.providers.keys()].map(clusterName);
    await waitForClusters(this.#options.envoyAdmin(), { version: exact ? version : null, names }, WAIT_MS);
  }
}

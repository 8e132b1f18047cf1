import { createHash } from 'node:crypto';
import { rename, writeFile } from 'node:fs/promises';
import type { ProviderAccount } from '../config/snapshot.js';
import { PROVIDER_KINDS } from '../providers/registry.js';
import type { BootstrapOptions, EnvoySettings } from './options.js';
import { providerCluster, upgradeCluster } from './provider-cluster.js';
import { type EnvoyConfig, typed } from './typed-config.js';

/** What lies in `cds.json`. */
export interface ClusterUpdate {
  /** Twelve hex digits over the clusters: equal versions mean equal clusters. Shown by Envoy's admin. */
  readonly version_info: string;
  readonly resources: readonly EnvoyConfig[];
}

/** One cluster for each provider account, and one more where it takes WebSockets; nothing secret is in them. */
export function renderClusters(
  settings: Pick<EnvoySettings, 'providers'>,
  options: Pick<BootstrapOptions, 'caBundle'>,
): ClusterUpdate {
  const resources = providerClusters(settings, options).map((cluster) => typed('config.cluster.v3.Cluster', cluster));
  const version = createHash('sha256').update(JSON.stringify(resources)).digest('hex').slice(0, 12);
  return { version_info: version, resources };
}

export function providerClusters(
  settings: Pick<EnvoySettings, 'providers'>,
  options: Pick<BootstrapOptions, 'caBundle'>,
): readonly EnvoyConfig[] {
  return [...settings.providers.values()].flatMap((account) => {
    const plain = providerCluster(account, options.caBundle);
    return takesUpgrades(account) ? [plain, upgradeCluster(account, options.caBundle)] : [plain];
  });
}

/** Sessions over WebSocket are served. */
export function takesUpgrades(account: ProviderAccount): boolean {
  return PROVIDER_KINDS.get(account.kind)?.wires.has('openai-realtime') === true;
}

/**
 * Puts the file in place by rename: Envoy reacts to moves only, and never sees half a file. Its name must end in
 * `.json`, by which Envoy knows the format. Rejects as `node:fs` does when the directory cannot be written.
 */
export async function writeClusters(path: string, update: ClusterUpdate): Promise<void> {
  const draft = `${path}.${process.pid}.draft`;
  await writeFile(draft, `${JSON.stringify(update, null, 2)}\n`);
  await rename(draft, path);
}

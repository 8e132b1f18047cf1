import type { ProviderAccount, TlsFiles } from '../../src/config/snapshot.js';
import type { EnvoySettings } from '../../src/envoy/options.js';

export interface SettingsDraft {
  /** Provider name → base URL. */
  readonly providers?: Readonly<Record<string, string>>;
  readonly bodyLimit?: number;
  readonly tls?: TlsFiles;
  readonly host?: string;
}

/** Settings with free ports for listener and admin. */
export function settings(draft: SettingsDraft = {}): EnvoySettings {
  const accounts = Object.entries(draft.providers ?? {}).map(([name, baseUrl]) => account(name, baseUrl));
  return {
    gateway: {
      listen: { host: draft.host ?? '127.0.0.1', port: 0 },
      bodyLimit: draft.bodyLimit ?? 1024 * 1024,
      modelsOnly: false,
      tls: draft.tls ?? null,
    },
    envoy: { admin: { host: '127.0.0.1', port: 0 }, binary: 'auto', concurrency: 1 },
    providers: new Map(accounts.map((entry) => [entry.name, entry])),
  };
}

function account(name: string, baseUrl: string): ProviderAccount {
  return { name, kind: 'openai-compatible', baseUrl, credentials: [], headers: {}, apiVersion: null, probeMs: null };
}

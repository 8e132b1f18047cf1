import { renderBootstrapYaml } from './bootstrap.js';
import type { BootstrapOptions, EnvoySettings } from './options.js';

/** The built-in default configuration: providers come by file, so none is named here. */
const DEFAULT_SETTINGS: EnvoySettings = {
  gateway: { listen: { host: '0.0.0.0', port: 8080 }, bodyLimit: 32 * 1024 * 1024, modelsOnly: false, tls: null },
  envoy: { admin: { host: '127.0.0.1', port: 9901 }, binary: 'auto', concurrency: 1 },
  providers: new Map(),
};

/** Paths for containers: `/run/tollgate` and `/var/lib/tollgate` are shared between Envoy and the service. */
export const CONTAINER_PATHS: BootstrapOptions & { readonly cdsPath: string } = {
  socket: '/run/tollgate/extproc.sock',
  cdsPath: '/run/tollgate/cds.json',
  accessLogPath: '/var/lib/tollgate/envoy/access.jsonl',
  attemptLogPath: '/var/lib/tollgate/envoy/attempts.jsonl',
  caBundle: '/etc/ssl/certs/ca-certificates.crt',
};

const HEADER = `# Envoy's bootstrap for Tollgate's default configuration. Generated: do not edit here, see README.md beside it.
# For another configuration: tollgate envoy --config tollgate.yaml
`;

/** The text of `envoy/envoy.yaml`. */
export function defaultBootstrapYaml(): string {
  return HEADER + renderBootstrapYaml(DEFAULT_SETTINGS, CONTAINER_PATHS);
}

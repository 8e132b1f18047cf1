import { stringify } from 'yaml';
import { providerClusters } from './cds.js';
import { staticClusters } from './clusters.js';
import { listener, socketAddress } from './listener.js';
import { type BootstrapOptions, type EnvoySettings, workerSocket } from './options.js';
import { type EnvoyConfig, extension } from './typed-config.js';

const HEAP_LIMIT = 2 * 1024 ** 3;
const MAX_CLIENT_CONNECTIONS = 50_000;

const RUNTIME: EnvoyConfig = {
  // Without it every ext_proc stream ends in a reset, and Node closes a connection after about 1,000 of them.
  'envoy.reloadable_features.ext_proc_graceful_grpc_close': true,
  // The paths of every dialect are one regular expression; the default of 100 is for patterns that strangers write.
  're2.max_program_size.error_level': 1000,
};

/** Envoy's whole bootstrap for this configuration, in proto3 JSON form. Deterministic; holds no secret. */
export function renderBootstrap(settings: EnvoySettings, options: BootstrapOptions): EnvoyConfig {
  const inBootstrap = options.cdsPath === null ? providerClusters(settings, options) : [];
  return {
    node: { id: 'tollgate', cluster: 'tollgate' },
    admin: { address: socketAddress(settings.envoy.admin), ignore_global_conn_limit: true },
    layered_runtime: { layers: [{ name: 'static', static_layer: RUNTIME }] },
    overload_manager: overloadManager(),
    static_resources: {
      listeners: [listener(settings, options)],
      clusters: [...staticClusters(serviceSockets(settings, options)), ...inBootstrap],
    },
    ...(options.cdsPath === null ? {} : { dynamic_resources: { cds_config: clusterSource(options.cdsPath) } }),
  };
}

/** The same as YAML. Envoy reads YAML 1.1, where a bare `n` or `on` is a boolean: such strings come out quoted. */
export function renderBootstrapYaml(settings: EnvoySettings, options: BootstrapOptions): string {
  return stringify(renderBootstrap(settings, options), { version: '1.1', aliasDuplicateObjects: false, lineWidth: 0 });
}

function serviceSockets({ gateway }: EnvoySettings, { socket }: BootstrapOptions): readonly string[] {
  return Array.from({ length: gateway.workers ?? 1 }, (_, index) => workerSocket(socket, index));
}

function clusterSource(path: string): EnvoyConfig {
  return { resource_api_version: 'V3', path_config_source: { path } };
}

/** Refuses work before memory or connections run out. */
function overloadManager(): EnvoyConfig {
  const heap = 'envoy.resource_monitors.fixed_heap';
  const connections = 'envoy.resource_monitors.global_downstream_max_connections';
  const above = (action: string, value: number) => ({
    name: `envoy.overload_actions.${action}`,
    triggers: [{ name: heap, threshold: { value } }],
  });
  return {
    refresh_interval: '0.25s',
    resource_monitors: [
      extension(heap, 'extensions.resource_monitors.fixed_heap.v3.FixedHeapConfig', {
        max_heap_size_bytes: HEAP_LIMIT,
      }),
      extension(connections, 'extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig', {
        max_active_downstream_connections: MAX_CLIENT_CONNECTIONS,
      }),
    ],
    actions: [above('shrink_heap', 0.95), above('stop_accepting_requests', 0.98)],
  };
}

import { DEFAULT_CLUSTER, RID_METADATA, SERVICE_CLUSTER } from './names.js';
import { type EnvoyConfig, typed } from './typed-config.js';

export const HTTP_OPTIONS = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';

/** Concurrency is limited by policy in the service; an overflow in Envoy would never be retried. */
export const OPEN_BREAKERS: EnvoyConfig = {
  thresholds: ['DEFAULT', 'HIGH'].map((priority) => ({
    priority,
    max_connections: 1_000_000,
    max_pending_requests: 1_000_000,
    max_requests: 1_000_000,
    max_retries: 1_000_000,
  })),
};

/** The clusters that never change: the service, and the group for requests without targets. */
export function staticClusters(sockets: readonly string[]): readonly EnvoyConfig[] {
  return [serviceCluster(sockets), { name: DEFAULT_CLUSTER, type: 'STATIC', connect_timeout: '1s' }];
}

/** All streams of one HTTP request reach the same one of several processes: the ring hash looks at the rid in gRPC metadata. */
const PINNED: EnvoyConfig = { lb_policy: 'RING_HASH', ring_hash_lb_config: { minimum_ring_size: 1024 } };

function serviceCluster(sockets: readonly string[]): EnvoyConfig {
  return {
    name: SERVICE_CLUSTER,
    type: 'STATIC',
    connect_timeout: '1s',
    ...(sockets.length > 1 ? PINNED : {}),
    // A change of health must reach the workers at once, or a restart of several processes loses requests.
    common_lb_config: { update_merge_window: '0s' },
    circuit_breakers: OPEN_BREAKERS,
    typed_extension_protocol_options: {
      [HTTP_OPTIONS]: typed('extensions.upstreams.http.v3.HttpProtocolOptions', {
        explicit_http_config: { http2_protocol_options: {} },
        ...(sockets.length > 1 ? { hash_policy: [{ header: { header_name: RID_METADATA } }] } : {}),
      }),
    },
    load_assignment: {
      cluster_name: SERVICE_CLUSTER,
      endpoints: [{ lb_endpoints: sockets.map((path) => ({ endpoint: { address: { pipe: { path } } } })) }],
    },
  };
}

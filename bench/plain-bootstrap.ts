/** Envoy's bootstrap with one route, a short access log and a router: requests spread over `clusters` that all lead to one upstream. */
export function plainBootstrap(upstream: number, clusters: number, accessLog: string): object {
  const type = (name: string): string => `type.googleapis.com/envoy.${name}`;
  const at = (port: number): object => ({ socket_address: { address: '127.0.0.1', port_value: port } });
  const names = Array.from({ length: clusters }, (_, index) => `u${index}`);
  const chosen =
    clusters === 1
      ? { cluster: 'u0' }
      : { weighted_clusters: { clusters: names.map((name) => ({ name, weight: 1 })) } };
  const manager = {
    '@type': type('extensions.filters.network.http_connection_manager.v3.HttpConnectionManager'),
    stat_prefix: 'plain',
    access_log: [
      {
        name: 'file',
        typed_config: {
          '@type': type('extensions.access_loggers.file.v3.FileAccessLog'),
          path: accessLog,
          log_format: { json_format: { status: '%RESPONSE_CODE%', ms: '%DURATION%', sent: '%BYTES_SENT%' } },
        },
      },
    ],
    route_config: {
      virtual_hosts: [
        { name: 'v', domains: ['*'], routes: [{ match: { prefix: '/' }, route: { ...chosen, timeout: '0s' } }] },
      ],
    },
    http_filters: [{ name: 'router', typed_config: { '@type': type('extensions.filters.http.router.v3.Router') } }],
  };
  return {
    admin: { address: at(0) },
    static_resources: {
      listeners: [
        { name: 'l', address: at(0), filter_chains: [{ filters: [{ name: 'hcm', typed_config: manager }] }] },
      ],
      clusters: names.map((name) => ({
        name,
        type: 'STATIC',
        circuit_breakers: {
          thresholds: [{ max_requests: 100000, max_connections: 100000, max_pending_requests: 100000 }],
        },
        load_assignment: {
          cluster_name: name,
          endpoints: [{ lb_endpoints: [{ endpoint: { address: at(upstream) } }] }],
        },
      })),
    },
  };
}

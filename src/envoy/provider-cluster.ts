import { isIP } from 'node:net';
import type { ProviderAccount } from '../config/snapshot.js';
import { HTTP_OPTIONS, OPEN_BREAKERS } from './clusters.js';
import { clusterName, METADATA_NAMESPACE, upgradeClusterName } from './names.js';
import { type EnvoyConfig, extension, typed } from './typed-config.js';

interface Origin {
  readonly secure: boolean;
  /** Name or IP literal without brackets. */
  readonly host: string;
  readonly port: number;
  /** As it must stand in the Host header: with the port unless it is the scheme's own. */
  readonly authority: string;
}

/**
 * The cluster of one provider account: its own DNS, TLS, connection pool and outlier detection.
 * @param caBundle PEM file, on Envoy's machine, against which the provider's certificate is checked.
 */
export function providerCluster(account: ProviderAccount, caBundle: string): EnvoyConfig {
  const origin = originOf(account.baseUrl);
  return cluster(account, clusterName(account.name), { origin, caBundle, http: httpOptions(origin) });
}

/**
 * The same provider for WebSockets: over HTTP/2 they would need extended CONNECT, which few providers know, and Envoy
 * answers 503 where a connection turns out to be HTTP/2 without it.
 */
export function upgradeCluster(account: ProviderAccount, caBundle: string): EnvoyConfig {
  const origin = originOf(account.baseUrl);
  const http = { ...httpOptions(origin), auto_config: undefined, explicit_http_config: { http_protocol_options: {} } };
  return cluster(account, upgradeClusterName(account.name), { origin, caBundle, http: definedOnly(http) });
}

function definedOnly(config: EnvoyConfig): EnvoyConfig {
  return Object.fromEntries(Object.entries(config).filter(([, value]) => value !== undefined));
}

interface ClusterParts {
  readonly origin: Origin;
  readonly caBundle: string;
  readonly http: EnvoyConfig;
}

function cluster(account: ProviderAccount, name: string, { origin, caBundle, http }: ClusterParts): EnvoyConfig {
  return {
    name,
    ...discovery(origin),
    connect_timeout: '5s',
    per_connection_buffer_limit_bytes: 256 * 1024,
    circuit_breakers: OPEN_BREAKERS,
    outlier_detection: OUTLIER_DETECTION,
    upstream_connection_options: {
      tcp_keepalive: { keepalive_probes: 3, keepalive_time: 30, keepalive_interval: 10 },
    },
    typed_extension_protocol_options: { [HTTP_OPTIONS]: http },
    load_assignment: loadAssignment(name, origin),
    ...(origin.secure ? { transport_socket: upstreamTls(origin, caBundle) } : {}),
    metadata: { filter_metadata: { [METADATA_NAMESPACE]: { provider: account.name } } },
  };
}

function originOf(baseUrl: string): Origin {
  const url = new URL(baseUrl);
  const secure = url.protocol === 'https:';
  return {
    secure,
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? (secure ? 443 : 80) : Number(url.port),
    authority: url.host,
  };
}

/**
 * Each address of a name becomes a host of its own. Happy eyeballs would need all addresses in one endpoint, which
 * allows no second, the sentinel: IPv4 first is what is left.
 */
function discovery(origin: Origin): EnvoyConfig {
  if (isIP(origin.host) !== 0) return { type: 'STATIC' };
  const dns = {
    dns_lookup_family: 'V4_PREFERRED',
    respect_dns_ttl: true,
    dns_refresh_rate: '5s',
    dns_failure_refresh_rate: { base_interval: '1s', max_interval: '5s' },
    typed_dns_resolver_config: extension(
      'envoy.network.dns_resolver.cares',
      'extensions.network.dns_resolver.cares.v3.CaresDnsResolverConfig',
      // A name server that does not answer holds up the start, and a new cluster, for two seconds at most.
      { query_timeout_seconds: 1, query_tries: 2 },
    ),
  };
  return { cluster_type: extension('envoy.clusters.dns', 'extensions.clusters.dns.v3.DnsCluster', dns) };
}

/**
 * Five broken connections in a row take a host out for five seconds, not longer. Only connections: statuses are judged by
 * the service, which knows whether another target is left. An ejected only target would be a request's last hope gone.
 */
const OUTLIER_DETECTION: EnvoyConfig = {
  split_external_local_origin_errors: true,
  consecutive_local_origin_failure: 5,
  enforcing_consecutive_local_origin_failure: 100,
  enforcing_local_origin_success_rate: 0,
  enforcing_consecutive_5xx: 0,
  enforcing_consecutive_gateway_failure: 0,
  enforcing_success_rate: 0,
  interval: '1s',
  base_ejection_time: '5s',
  max_ejection_time: '5s',
  max_ejection_percent: 100,
};

/** TLS: HTTP/2 or HTTP/1.1 by ALPN. Plain: HTTP/1.1. Idle connections close before the usual server does. */
function httpOptions(origin: Origin): EnvoyConfig {
  const http2 = {
    initial_stream_window_size: 1_048_576,
    initial_connection_window_size: 16_777_216,
    connection_keepalive: { interval: '60s', timeout: '15s' },
  };
  return typed('extensions.upstreams.http.v3.HttpProtocolOptions', {
    // Uvicorn and Node close after 5 s, load balancers after 60 s: a reused connection must be younger than that.
    common_http_protocol_options: { idle_timeout: origin.secure ? '55s' : '4s' },
    ...(origin.secure
      ? { auto_config: { http_protocol_options: {}, http2_protocol_options: http2 } }
      : { explicit_http_config: { http_protocol_options: {} } }),
  });
}

/**
 * Priority 1 is a sentinel that refuses every connection: "no healthy host" is never retried by Envoy, "connection
 * refused" is. Nothing can listen on port 0, so no credential can ever leave through it.
 */
function loadAssignment(name: string, origin: Origin): EnvoyConfig {
  const endpoint = (priority: number, address: string, port: number) => ({
    priority,
    lb_endpoints: [
      { endpoint: { hostname: origin.authority, address: { socket_address: { address, port_value: port } } } },
    ],
  });
  return {
    cluster_name: name,
    endpoints: [endpoint(0, origin.host, origin.port), endpoint(1, '127.0.0.1', 0)],
    // With the default of 140 % a half-ejected provider would already send a part of its requests to the sentinel.
    policy: { overprovisioning_factor: 100_000 },
  };
}

/** Name or address in the certificate must be the one in `base_url`; SNI carries names only. */
function upstreamTls(origin: Origin, caBundle: string): EnvoyConfig {
  const ip = isIP(origin.host) !== 0;
  return extension('envoy.transport_sockets.tls', 'extensions.transport_sockets.tls.v3.UpstreamTlsContext', {
    ...(ip ? {} : { sni: origin.host }),
    common_tls_context: {
      tls_params: { tls_minimum_protocol_version: 'TLSv1_2', tls_maximum_protocol_version: 'TLSv1_3' },
      validation_context: {
        trusted_ca: { filename: caBundle },
        match_typed_subject_alt_names: [{ san_type: ip ? 'IP_ADDRESS' : 'DNS', matcher: { exact: origin.host } }],
      },
    },
  });
}

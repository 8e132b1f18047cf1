import type { Address, TlsFiles } from '../config/snapshot.js';
import { accessLog, attemptLog } from './access-log.js';
import { answerFilter } from './answer-filter.js';
import { attemptChain } from './attempt-chain.js';
import { clientHeaderRemoval } from './client-headers.js';
import { factsFilter, gateFilter, requestFilter, routerFilter } from './filters.js';
import { localReplies } from './local-replies.js';
import { LISTENER_NAME, STAT_PREFIX } from './names.js';
import type { BootstrapOptions, EnvoySettings } from './options.js';
import { routes } from './routes.js';
import { type EnvoyConfig, extension } from './typed-config.js';

/** Bytes buffered for one connection before Envoy stops reading; whole bodies have the route's own limit. */
const CONNECTION_BUFFER = 64 * 1024;

/** The one listener for apps: HTTP/1.1 and HTTP/2 on the same port, with or without TLS. */
export function listener(settings: EnvoySettings, options: BootstrapOptions): EnvoyConfig {
  return {
    name: LISTENER_NAME,
    address: socketAddress(settings.gateway.listen),
    per_connection_buffer_limit_bytes: CONNECTION_BUFFER,
    // With SO_REUSEPORT a second gateway on the same port would silently take half of the connections.
    enable_reuse_port: false,
    filter_chains: [
      {
        filters: [connectionManager(settings, options)],
        transport_socket_connect_timeout: '10s',
        ...(settings.gateway.tls ? { transport_socket: downstreamTls(settings.gateway.tls) } : {}),
      },
    ],
  };
}

/** Envoy takes addresses, not names: `localhost` is the IPv4 loopback. */
export function socketAddress(address: Address): EnvoyConfig {
  return {
    socket_address: { address: address.host === 'localhost' ? '127.0.0.1' : address.host, port_value: address.port },
  };
}

function connectionManager(settings: EnvoySettings, options: BootstrapOptions): EnvoyConfig {
  const { workers = 1 } = settings.gateway;
  const filterOptions = { messageTimeoutMs: options.messageTimeoutMs, workers };
  return extension(
    'envoy.filters.network.http_connection_manager',
    'extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
    {
      stat_prefix: STAT_PREFIX,
      codec_type: 'AUTO',
      ...requestHygiene(),
      ...protocols(),
      ...timeouts(),
      access_log: [accessLog(options.accessLogPath)],
      local_reply_config: localReplies(),
      http_filters: [
        factsFilter(),
        answerFilter(filterOptions),
        requestFilter(filterOptions),
        gateFilter(),
        routerFilter(attemptChain(workers), attemptLog(options.attemptLogPath)),
      ],
      // Only a route may allow it: every other upgrade ends here.
      upgrade_configs: [{ upgrade_type: 'websocket', enabled: false }],
      route_config: routes(settings.gateway.bodyLimit),
    },
  );
}

/** Nobody's internal headers, one spelling of each path, an id of our own for each request. */
function requestHygiene(): EnvoyConfig {
  return {
    use_remote_address: true,
    // internal_address_config stays unset: then nobody is internal, while an empty one would trust private addresses.
    early_header_mutation_extensions: [clientHeaderRemoval()],
    generate_request_id: true,
    preserve_external_request_id: false,
    always_set_request_id_in_response: true,
    request_id_extension: {
      typed_config: {
        '@type': 'type.googleapis.com/envoy.extensions.request_id.uuid.v3.UuidRequestIdConfig',
        pack_trace_reason: false,
      },
    },
    normalize_path: true,
    merge_slashes: true,
    // Clients write the slash of `provider/model` like that in paths. Nobody unescapes it: paths are compared as they are.
    path_with_escaped_slashes_action: 'KEEP_UNCHANGED',
    server_header_transformation: 'OVERWRITE',
    server_name: 'tollgate',
    // Providers over HTTP/2 look at :scheme; it follows the connection to them, not the client's.
    scheme_header_transformation: { match_upstream: true },
  };
}

function protocols(): EnvoyConfig {
  return {
    http_protocol_options: { accept_http_10: false },
    http2_protocol_options: {
      // One SDK connection may carry many answers at once; 100, the usual edge value, would hold some back.
      max_concurrent_streams: 1000,
      initial_stream_window_size: 65_536,
      initial_connection_window_size: 1_048_576,
      connection_keepalive: { interval: '30s', timeout: '10s' },
    },
    common_http_protocol_options: {
      idle_timeout: '3600s',
      max_stream_duration: '3600s',
      max_headers_count: 100,
      headers_with_underscores_action: 'REJECT_REQUEST',
    },
    max_request_headers_kb: 60,
  };
}

function timeouts(): EnvoyConfig {
  return {
    request_headers_timeout: '10s',
    // The whole body: 32 MiB over a slow line.
    request_timeout: '300s',
    // Until the route is known, which then has its own.
    stream_idle_timeout: '300s',
    delayed_close_timeout: '1s',
    drain_timeout: '5s',
  };
}

function downstreamTls(files: TlsFiles): EnvoyConfig {
  return extension('envoy.transport_sockets.tls', 'extensions.transport_sockets.tls.v3.DownstreamTlsContext', {
    common_tls_context: {
      alpn_protocols: ['h2', 'http/1.1'],
      tls_params: { tls_minimum_protocol_version: 'TLSv1_2' },
      tls_certificates: [{ certificate_chain: { filename: files.certificate }, private_key: { filename: files.key } }],
    },
  });
}

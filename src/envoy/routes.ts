import { RECOGNISED_PATH } from '../dialects/direct-endpoint.js';
import { REALTIME_PATH } from '../dialects/openai-realtime/endpoint.js';
import { PROCESSING_MODE, REQUEST_FILTER } from './filters.js';
import { CLUSTER_HEADER, DEFAULT_CLUSTER, LONE_ROUTE, METADATA_NAMESPACE, REQUEST_NAMESPACE } from './names.js';
import { type EnvoyConfig, extension, typed } from './typed-config.js';

/**
 * Nothing is tried again unless the service says so, request by request: Envoy adds `x-envoy-retry-on` to this list and
 * `x-envoy-retriable-status-codes` to an empty one, and can take nothing away. Which word stands for what, as run on 1.40:
 * `connect-failure` not reached: refused, TLS, unknown name, ejected · `reset` the same, broken off before the headers
 * were let go, and the per-try timeout · `gateway-error` both, and 502 503 504 · `5xx` both, and every status from 500 ·
 * `refused-stream` an HTTP/2 provider's refusal · `retriable-status-codes` (here already) the listed ones ·
 * `retriable-headers` with `x-envoy-retriable-header-names: x-tollgate-retry` the verdict of `peek` and `again`.
 * A timeout cannot be told from a reset here.
 */
const RETRY_ON = 'retriable-status-codes';

/** Silence of a reasoning model is normal for minutes; the service's `stall` clock is the tighter one. */
const IDLE_TIMEOUT = '600s';

/**
 * The service has the paths, Envoy has the providers: routes differ in what the service wants to see of a request, and in how its
 * decision names the clusters. Envoy chooses twice: when the headers have come, and when the service has decided. Most requests
 * know one provider only: `lone` spares them the reading of a list.
 * @param bodyLimit bytes; lifts the small connection buffers for whole bodies and for their retries.
 */
export function routes(bodyLimit: number): EnvoyConfig {
  return {
    name: 'gateway',
    virtual_hosts: [
      {
        name: 'all',
        domains: ['*'],
        include_request_attempt_count: true,
        request_body_buffer_limit: bodyLimit,
        typed_per_filter_config: { [REQUEST_FILTER]: typed('config.route.v3.FilterConfig', { config: {} }) },
        response_headers_to_add: [
          {
            header: { key: 'x-request-id', value: `%DYNAMIC_METADATA(${REQUEST_NAMESPACE}:id)%` },
            append_action: 'OVERWRITE_IF_EXISTS_OR_ADD',
          },
        ],
        routes: [
          {
            name: 'realtime',
            match: { path: REALTIME_PATH },
            route: { ...targets(), upgrade_configs: [{ upgrade_type: 'websocket', enabled: true }] },
            typed_per_filter_config: { [REQUEST_FILTER]: unseenBodies() },
          },
          {
            name: LONE_ROUTE,
            match: { prefix: '/', headers: [{ name: CLUSTER_HEADER, present_match: true }] },
            route: { ...toProviders(), cluster_header: CLUSTER_HEADER },
          },
          { name: 'recognised', match: { safe_regex: { regex: RECOGNISED_PATH }, headers: [POST] }, route: targets() },
          {
            name: 'unseen',
            match: { prefix: '/providers/' },
            route: targets(),
            typed_per_filter_config: { [REQUEST_FILTER]: unseenBodies() },
          },
          { name: 'targets', match: { prefix: '/' }, route: targets() },
        ],
      },
    ],
  };
}

const POST: EnvoyConfig = { name: ':method', string_match: { exact: 'POST' } };

/**
 * Bodies that the service does not read go on as they come, whatever their size. It could say so in its answer to the
 * headers, but what had arrived by then would count as a body to be held, and be too large. (The other way round is no
 * good either: a body above the limit that is wanted whole only after it began hangs for ever. Run on 1.40.)
 */
function unseenBodies(): EnvoyConfig {
  const overrides = { processing_mode: { ...PROCESSING_MODE, request_body_mode: 'NONE' } };
  return typed('config.route.v3.FilterConfig', {
    config: typed('extensions.filters.http.ext_proc.v3.ExtProcPerRoute', { overrides }),
  });
}

/** To the cluster of each attempt. */
function targets(): EnvoyConfig {
  return { ...toProviders(), inline_cluster_specifier_plugin: { extension: priorityGroups() } };
}

function toProviders(): EnvoyConfig {
  return {
    // Attempts and streams are bounded per request by the service, and by max_stream_duration in the end.
    timeout: '0s',
    idle_timeout: IDLE_TIMEOUT,
    auto_host_rewrite: true,
    retry_policy: {
      retry_on: RETRY_ON,
      // None unless the service asks for them with x-envoy-max-retries.
      num_retries: 0,
      refresh_cluster_on_retry: true,
      // Another target is not the one that is in trouble: no reason to wait, nor to obey its Retry-After.
      retry_back_off: { base_interval: '0.001s', max_interval: '0.002s' },
    },
  };
}

/** Attempt N goes to the N-th group in `tollgate.priority_groups`. Expected to change after Envoy 1.40: only here. */
function priorityGroups(): EnvoyConfig {
  return extension(
    'envoy.router.cluster_specifier_plugin.priority_group',
    'extensions.router.cluster_specifiers.priority_group.v3.PriorityGroupClusterSpecifier',
    {
      override_metadata_namespace: METADATA_NAMESPACE,
      priority_groups: [{ name: DEFAULT_CLUSTER, clusters: [{ cluster_name: DEFAULT_CLUSTER, weight: 1 }] }],
    },
  );
}

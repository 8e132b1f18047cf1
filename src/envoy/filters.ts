import {
  GATE_KEY,
  GATE_PASS,
  LONE_ROUTE,
  METADATA_NAMESPACE,
  REQUEST_NAMESPACE,
  RID_METADATA,
  ROLE_METADATA,
  ROLE_REQUEST,
  ROUTES_METADATA,
  SERVICE_CLUSTER,
} from './names.js';
import { duration, type EnvoyConfig, extension, typed } from './typed-config.js';

/** The name by which the route switches the filter on. */
export const REQUEST_FILTER = 'envoy.filters.http.ext_proc';

const DEFAULT_MESSAGE_TIMEOUT_MS = 5_000;

/** What the `request` role learns about the answer: who gave it, on which attempt, and whether Envoy made it up. */
export const RESPONSE_ATTRIBUTES: readonly string[] = [
  'xds.cluster_name',
  'upstream.request_attempt_count',
  'upstream.transport_failure_reason',
  'response.code_details',
];

/** What the `request` role sees unless a route, or its own answer to headers, says otherwise. */
export const PROCESSING_MODE: EnvoyConfig = {
  request_header_mode: 'SEND',
  request_body_mode: 'BUFFERED',
  response_header_mode: 'SEND',
  response_body_mode: 'NONE',
  request_trailer_mode: 'SKIP',
  response_trailer_mode: 'SKIP',
};

/** Keeps the request id and the client's path: `strip` removes the one, the service rewrites the other. */
export function factsFilter(): EnvoyConfig {
  const keep = (header: string, key: string, more: EnvoyConfig = {}) => ({
    header,
    on_header_present: { metadata_namespace: REQUEST_NAMESPACE, key, type: 'STRING', ...more },
  });
  return extension('envoy.filters.http.header_to_metadata', 'extensions.filters.http.header_to_metadata.v3.Config', {
    request_rules: [
      keep('x-request-id', 'id'),
      keep(':path', 'path', {
        regex_value_rewrite: { pattern: { regex: '^([^?#]*).*' }, substitution: '\\1' },
      }),
    ],
  });
}

/** How every filter reaches the service: who asks, and which of how many processes must answer (hash policy on the rid). */
export interface Asking {
  readonly role: string;
  /** Said where there are several processes. */
  readonly rid: string;
  /** Service processes. */
  readonly workers: number;
}

export function serviceCall({ role, rid, workers }: Asking): EnvoyConfig {
  return {
    envoy_grpc: { cluster_name: SERVICE_CLUSTER, skip_envoy_headers: true },
    initial_metadata: [
      { key: ROLE_METADATA, value: role },
      ...(role === ROLE_REQUEST ? [{ key: ROUTES_METADATA, value: LONE_ROUTE }] : []),
      ...(workers > 1 ? [{ key: RID_METADATA, value: rid }] : []),
    ],
    // A stream that is opened just when the old process says GOAWAY goes to the new one, and one whose process dies before its
    // first answer to another one: nothing was decided yet that anybody knows of.
    retry_policy: {
      num_retries: 3,
      retry_on: 'connect-failure,refused-stream,reset',
      retry_back_off: { base_interval: '0.020s', max_interval: '0.100s' },
      ...(workers > 1 ? ANOTHER_WORKER : {}),
    },
  };
}

/**
 * While one of several workers is away, another one takes its requests. A lone one is tried again itself, without this: it
 * takes 5 % of what Envoy spends on a small request.
 */
const ANOTHER_WORKER: EnvoyConfig = {
  retry_host_predicate: [
    extension(
      'envoy.retry_host_predicates.previous_hosts',
      'extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate',
    ),
  ],
  host_selection_retry_max_attempts: 10,
};

/** What a filter that asks the service is built from. */
export interface FilterOptions {
  /** Default 5 s. */
  readonly messageTimeoutMs?: number | undefined;
  /** Service processes; default 1. */
  readonly workers?: number | undefined;
}

/**
 * The `request` role. `failure_mode_allow` lets running answers survive the death of the service; that it would also
 * let undecided requests pass is what the gate behind it is for.
 */
export function requestFilter({
  messageTimeoutMs = DEFAULT_MESSAGE_TIMEOUT_MS,
  workers = 1,
}: FilterOptions = {}): EnvoyConfig {
  const filter = extension(REQUEST_FILTER, 'extensions.filters.http.ext_proc.v3.ExternalProcessor', {
    stat_prefix: ROLE_REQUEST,
    grpc_service: serviceCall({ role: ROLE_REQUEST, rid: '%REQ(x-request-id)%', workers }),
    failure_mode_allow: true,
    status_on_error: { code: 'ServiceUnavailable' },
    message_timeout: duration(messageTimeoutMs),
    allow_mode_override: true,
    processing_mode: PROCESSING_MODE,
    // What is tried again, how often and for how long is set per request; host and method stay out of reach.
    mutation_rules: { allow_envoy: true },
    response_attributes: RESPONSE_ATTRIBUTES,
    // Received only: sent back, the service's own metadata would be decoded again with every message.
    metadata_options: { receiving_namespaces: { untyped: [METADATA_NAMESPACE] } },
  });
  // The route switches it on. A request that breaks HTTP itself gets no route, so its 400 or 431 does not wait for the
  // service: Envoy closes such a connection at once, and the client would never see the reply. The gate is always on.
  return { ...filter, disabled: true };
}

/** Nothing goes on without `tollgate.decision == pass`. Must stand directly behind the request filter. */
export function gateFilter(): EnvoyConfig {
  const decided = {
    filter: METADATA_NAMESPACE,
    path: [{ key: GATE_KEY }],
    value: { string_match: { exact: GATE_PASS } },
  };
  return extension('envoy.filters.http.rbac', 'extensions.filters.http.rbac.v3.RBAC', {
    rules: {
      action: 'ALLOW',
      policies: {
        decided: {
          permissions: [{ sourced_metadata: { metadata_matcher: decided } }],
          principals: [{ any: true }],
        },
      },
    },
  });
}

export function routerFilter(upstreamFilters: readonly EnvoyConfig[], attemptLog: EnvoyConfig): EnvoyConfig {
  return {
    name: 'envoy.filters.http.router',
    typed_config: typed('extensions.filters.http.router.v3.Router', {
      // Also keeps x-envoy-original-host, a name of ours or of another provider, from every provider.
      suppress_envoy_headers: true,
      upstream_http_filters: upstreamFilters,
      upstream_log: [attemptLog],
    }),
  };
}

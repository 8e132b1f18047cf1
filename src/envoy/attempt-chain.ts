import { serviceCall } from './filters.js';
import { firstThatHolds, headerIs } from './matching.js';
import { ATTEMPT_NAMESPACE, METADATA_NAMESPACE, PEEK_HEADER, RETRY_HEADER, ROLE_AGAIN, ROLE_PEEK } from './names.js';
import { type EnvoyConfig, extension } from './typed-config.js';

/** Headers in which a provider's credential may travel. */
export const CREDENTIAL_HEADERS: readonly string[] = [
  'authorization',
  'x-api-key',
  'api-key',
  'x-goog-api-key',
  'x-amz-date',
  'x-amz-security-token',
];

/** Both roles may wait for a first token, `again` also for a repeat's pause; the per-try timeouts are shorter. */
const MESSAGE_TIMEOUT = '300s';

/** What the response phase of an attempt learns: which provider answered, on which try. */
export const ATTEMPT_RESPONSE_ATTRIBUTES: readonly string[] = ['xds.cluster_name', 'upstream.request_attempt_count'];

/**
 * Filters of every attempt at every provider, in the order that makes them safe. Requests pass from top to bottom,
 * answers from bottom to top. A first attempt without `x-tollgate-peek` opens no stream to the service.
 * @param workers service processes
 */
export function attemptChain(workers: number): readonly EnvoyConfig[] {
  return [
    firstThatHolds('attempt', [
      { predicate: { and_matcher: { predicate: [FIRST_ATTEMPT, PEEK_ASKED] } }, filters: [peek(workers)] },
      { predicate: { not_matcher: FIRST_ATTEMPT }, filters: [wipeCredentials(), again(workers)] },
    ]),
    lengthAndStrip(),
    extension('envoy.filters.http.upstream_codec', 'extensions.filters.http.upstream_codec.v3.UpstreamCodec'),
  ];
}

const RID = `%DYNAMIC_METADATA(${METADATA_NAMESPACE}:rid)%`;

/** Attempt 1 was prepared by the `request` role. */
const FIRST_ATTEMPT = headerIs('attempt', 'x-envoy-attempt-count', '1');
const PEEK_ASKED = headerIs('peek', PEEK_HEADER, '1');

interface HeaderMutations {
  readonly request?: readonly EnvoyConfig[];
  readonly response?: readonly EnvoyConfig[];
}

function headerMutation(name: string, { request = [], response = [] }: HeaderMutations): EnvoyConfig {
  return extension(name, 'extensions.filters.http.header_mutation.v3.HeaderMutation', {
    mutations: {
      request_mutations: request,
      ...(response.length > 0 ? { response_mutations: response } : {}),
    },
  });
}

/**
 * The `peek` role: holds the headers of attempt 1 while the service looks at the first chunks. Its answer to the
 * headers is what the router judges: another status or `x-tollgate-retry` leads to the next target. Once it has
 * answered the headers and every chunk it was sent, the service leaves, and the rest flows without it.
 * Fails open: an answer that nobody could judge is still an answer.
 */
function peek(workers: number): EnvoyConfig {
  return extension('envoy.filters.http.ext_proc', 'extensions.filters.http.ext_proc.v3.ExternalProcessor', {
    stat_prefix: ROLE_PEEK,
    grpc_service: serviceCall({ role: ROLE_PEEK, rid: RID, workers }),
    failure_mode_allow: true,
    message_timeout: MESSAGE_TIMEOUT,
    processing_mode: {
      request_header_mode: 'SKIP',
      request_body_mode: 'NONE',
      response_header_mode: 'SEND',
      response_body_mode: 'STREAMED',
      request_trailer_mode: 'SKIP',
      response_trailer_mode: 'SKIP',
    },
    send_body_without_waiting_for_header_response: true,
    response_attributes: ATTEMPT_RESPONSE_ATTRIBUTES,
    metadata_options: {
      // The verdict may rewrite the targets that are left.
      receiving_namespaces: { untyped: [METADATA_NAMESPACE] },
      forwarding_namespaces: { untyped: [METADATA_NAMESPACE] },
    },
  });
}

/**
 * An `again` stream that ends without an answer lets the attempt go on unchanged, with what attempt 1 left in the
 * headers: the other provider's key must be gone by then.
 */
function wipeCredentials(): EnvoyConfig {
  return headerMutation('envoy.filters.http.header_mutation', {
    request: CREDENTIAL_HEADERS.map((header) => ({ remove: header })),
  });
}

/**
 * The `again` role: prepares attempt N from the original request. Never with failure_mode_allow. It
 * judges the answer as `peek` does, and must answer or leave when it does not want to: an unanswered chunk holds up the
 * response. (Envoy ignores mode_override in a filter that sends bodies without waiting.)
 */
function again(workers: number): EnvoyConfig {
  return extension('envoy.filters.http.ext_proc', 'extensions.filters.http.ext_proc.v3.ExternalProcessor', {
    stat_prefix: ROLE_AGAIN,
    grpc_service: serviceCall({ role: ROLE_AGAIN, rid: RID, workers }),
    failure_mode_allow: false,
    status_on_error: { code: 'ServiceUnavailable' },
    message_timeout: MESSAGE_TIMEOUT,
    processing_mode: {
      request_header_mode: 'SEND',
      request_body_mode: 'NONE',
      response_header_mode: 'SEND',
      response_body_mode: 'STREAMED',
      request_trailer_mode: 'SKIP',
      response_trailer_mode: 'SKIP',
    },
    send_body_without_waiting_for_header_response: true,
    request_attributes: ['xds.cluster_name', 'upstream.request_attempt_count'],
    response_attributes: ATTEMPT_RESPONSE_ATTRIBUTES,
    metadata_options: {
      receiving_namespaces: { untyped: [ATTEMPT_NAMESPACE, METADATA_NAMESPACE] },
      forwarding_namespaces: { untyped: [METADATA_NAMESPACE] },
    },
  });
}

/**
 * Last of all, in one filter because each costs every request something.
 * `content-length`: ext_proc drops it when it replaces a body, and some providers refuse chunked bodies.
 * The rest is what providers have no business with; Envoy writes x-envoy-attempt-count again for each attempt. In answers:
 * whether to try again is not theirs to say (a provider behind an Envoy of its own may send x-envoy-ratelimited, which
 * forbids it); the answers of `peek` and `again` come after it.
 */
function lengthAndStrip(): EnvoyConfig {
  const header = { key: 'content-length', value: `%DYNAMIC_METADATA(${ATTEMPT_NAMESPACE}:content_length)%` };
  const prefixes = ['x-tollgate-', 'x-envoy-', 'x-forwarded-'];
  return headerMutation('length_and_strip', {
    request: [
      { append: { header, append_action: 'ADD_IF_ABSENT' } },
      { remove: 'x-request-id' },
      ...prefixes.map((prefix) => ({ remove_on_match: { key_matcher: { prefix } } })),
    ],
    response: [{ remove: RETRY_HEADER }, { remove: 'x-envoy-ratelimited' }],
  });
}

import { serviceCall } from './filters.js';
import { ATTEMPT_NAMESPACE, METADATA_NAMESPACE, ROLE_AGAIN } from './names.js';
import { type EnvoyConfig, extension, typed } from './typed-config.js';

/** Headers in which a provider's credential may travel. */
export const CREDENTIAL_HEADERS: readonly string[] = ['authorization', 'x-api-key', 'api-key', 'x-goog-api-key'];

/** `again` may wait for a translation, for a repeat's pause and, later, for a first token; per-try timeouts are shorter. */
const AGAIN_MESSAGE_TIMEOUT = '300s';

/**
 * Filters of every attempt at every provider, in the order that makes them safe. `peek`, which holds a first attempt's
 * headers until its first token, will stand at the front.
 */
export function attemptChain(): readonly EnvoyConfig[] {
  return [
    repeatsOnly('wipe_credentials', wipeCredentials()),
    repeatsOnly('again', again()),
    contentLength(),
    strip(),
    extension('envoy.filters.http.upstream_codec', 'extensions.filters.http.upstream_codec.v3.UpstreamCodec'),
  ];
}

/** Skips a filter on attempt 1, which was prepared by the `request` role: it costs no stream there. */
function repeatsOnly(name: string, filter: EnvoyConfig): EnvoyConfig {
  const firstAttempt = {
    single_predicate: {
      input: {
        name: 'attempt',
        typed_config: typed('type.matcher.v3.HttpRequestHeaderMatchInput', { header_name: 'x-envoy-attempt-count' }),
      },
      value_match: { exact: '1' },
    },
  };
  const skip = { name: 'skip', typed_config: typed('extensions.filters.common.matcher.action.v3.SkipFilter') };
  return extension(name, 'extensions.common.matching.v3.ExtensionWithMatcher', {
    xds_matcher: { matcher_list: { matchers: [{ predicate: firstAttempt, on_match: { action: skip } }] } },
    extension_config: filter,
  });
}

function headerMutation(name: string, mutations: readonly EnvoyConfig[]): EnvoyConfig {
  return extension(name, 'extensions.filters.http.header_mutation.v3.HeaderMutation', {
    mutations: { request_mutations: mutations },
  });
}

/**
 * An `again` stream that ends without an answer lets the attempt go on unchanged, with what attempt 1 left in the
 * headers: the other provider's key must be gone by then.
 */
function wipeCredentials(): EnvoyConfig {
  return headerMutation(
    'envoy.filters.http.header_mutation',
    CREDENTIAL_HEADERS.map((header) => ({ remove: header })),
  );
}

/** The `again` role: prepares attempt N from the original request. Never with failure_mode_allow. */
function again(): EnvoyConfig {
  return extension('envoy.filters.http.ext_proc', 'extensions.filters.http.ext_proc.v3.ExternalProcessor', {
    stat_prefix: ROLE_AGAIN,
    grpc_service: serviceCall(ROLE_AGAIN, `%DYNAMIC_METADATA(${METADATA_NAMESPACE}:rid)%`),
    failure_mode_allow: false,
    status_on_error: { code: 'ServiceUnavailable' },
    message_timeout: AGAIN_MESSAGE_TIMEOUT,
    processing_mode: {
      request_header_mode: 'SEND',
      request_body_mode: 'NONE',
      response_header_mode: 'SEND',
      response_body_mode: 'NONE',
      request_trailer_mode: 'SKIP',
      response_trailer_mode: 'SKIP',
    },
    request_attributes: ['xds.cluster_name', 'upstream.request_attempt_count'],
    metadata_options: {
      receiving_namespaces: { untyped: [ATTEMPT_NAMESPACE] },
      forwarding_namespaces: { untyped: [METADATA_NAMESPACE] },
    },
  });
}

/** ext_proc drops `content-length` when it replaces a body, and some providers refuse chunked bodies. */
function contentLength(): EnvoyConfig {
  const header = { key: 'content-length', value: `%DYNAMIC_METADATA(${ATTEMPT_NAMESPACE}:content_length)%` };
  return headerMutation('content_length', [{ append: { header, append_action: 'ADD_IF_ABSENT' } }]);
}

/** What providers have no business with. Envoy writes x-envoy-attempt-count again for each attempt. */
function strip(): EnvoyConfig {
  const prefixes = ['x-tollgate-', 'x-envoy-', 'x-forwarded-'];
  return headerMutation('strip', [
    { remove: 'x-request-id' },
    ...prefixes.map((prefix) => ({ remove_on_match: { key_matcher: { prefix } } })),
  ]);
}

import { OWN_DETAILS_PREFIX } from './names.js';
import { type EnvoyConfig, extension } from './typed-config.js';

/** One class of local replies; the first whose condition holds is taken. Codes: design, section 1.6. */
interface LocalReply {
  /** CEL over `response.code` and `response.code_details`. */
  readonly when: string;
  /** Null keeps Envoy's status. */
  readonly status: number | null;
  readonly type: string;
  readonly code: string | null;
  readonly message: string;
  /** Adds `retry-after: 1`: the service is back within a second after a restart. */
  readonly retryAfter: boolean;
}

const startsWith = (...prefixes: readonly string[]) =>
  prefixes.map((prefix) => `response.code_details.startsWith('${prefix}')`).join(' || ');

/**
 * Gate denials and everything that goes wrong between Envoy and the service. RBAC sets no response flag and a rejected
 * mutation fails closed with an empty body, so they can only be told by their details.
 */
const SERVICE_FAILED = startsWith(
  'rbac_access_denied',
  'ext_proc_error',
  'header_mutation_',
  'mismatch_between_content_length',
  'spurious_message',
  'streaming_local_response',
);

const UPSTREAM_FAILED = startsWith(
  'upstream_reset_before_response_started',
  // Headers had come, but were still in our hands: the client has seen none.
  'upstream_reset_after_response_started',
  'no_healthy_upstream',
  'cluster_not_found',
  'maintenance_mode',
);

const GATEWAY_UNAVAILABLE = {
  status: 503,
  type: 'api_error',
  code: 'gateway_unavailable',
  message: 'The gateway cannot decide about requests at the moment. Try again shortly.',
  retryAfter: true,
} as const;

function refusal(when: string, status: number | null, code: string | null, message: string): LocalReply {
  const type = code === 'not_found' ? 'not_found_error' : 'invalid_request_error';
  return { when, status, type, code, message, retryAfter: false };
}

const LOCAL_REPLIES: readonly LocalReply[] = [
  { when: SERVICE_FAILED, ...GATEWAY_UNAVAILABLE },
  {
    when: UPSTREAM_FAILED,
    status: 503,
    type: 'api_error',
    code: 'upstream_unavailable',
    message: 'No provider could be reached for this request.',
    retryAfter: false,
  },
  {
    when: 'response.code == 504',
    status: 504,
    type: 'api_error',
    code: 'upstream_timeout',
    message: 'The provider did not answer in time.',
    retryAfter: false,
  },
  refusal('response.code == 413', 413, 'request_too_large', 'The request body is larger than this gateway accepts.'),
  refusal('response.code == 404', 404, 'not_found', 'There is no such endpoint.'),
  refusal(
    "response.code_details == 'upgrade_failed'",
    400,
    'unsupported_endpoint',
    'Protocol upgrades such as WebSocket are not supported.',
  ),
  refusal('response.code == 431', 431, null, 'The request headers are larger than this gateway accepts.'),
  refusal('response.code == 408', 408, null, 'The request did not arrive completely in time.'),
  refusal('response.code >= 400 && response.code < 500', null, null, 'The request is not valid HTTP for this gateway.'),
  { when: 'response.code >= 500', ...GATEWAY_UNAVAILABLE },
];

/** The service's own ImmediateResponses are local replies too: their details say so, and they stay as they are. */
const ENVOYS_OWN = `response.code_details != '' && !response.code_details.startsWith('${OWN_DETAILS_PREFIX}')`;

/** Gives every reply that Envoy makes up itself a JSON body in OpenAI's error shape. */
export function localReplies(): EnvoyConfig {
  return { mappers: LOCAL_REPLIES.map(mapper) };
}

function mapper(reply: LocalReply): EnvoyConfig {
  return {
    filter: {
      extension_filter: extension(
        'envoy.access_loggers.extension_filters.cel',
        'extensions.access_loggers.filters.cel.v3.ExpressionFilter',
        { expression: `${ENVOYS_OWN} && (${reply.when})` },
      ),
    },
    ...(reply.status === null ? {} : { status_code: reply.status }),
    ...(reply.retryAfter
      ? {
          headers_to_add: [{ header: { key: 'retry-after', value: '1' }, append_action: 'OVERWRITE_IF_EXISTS_OR_ADD' }],
        }
      : {}),
    body_format_override: {
      content_type: 'application/json',
      json_format: { error: { message: reply.message, type: reply.type, param: null, code: reply.code } },
    },
  };
}

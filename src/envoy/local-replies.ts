import type { ErrorShape } from '../dialects/endpoint.js';
import { GatewayError, renderError } from '../dialects/error.js';
import { OWN_DETAILS_PREFIX, REQUEST_NAMESPACE } from './names.js';
import { type EnvoyConfig, extension } from './typed-config.js';

/** One class of local replies; the first whose condition holds is taken. Codes: design, section 1.6. */
interface LocalReply {
  /** CEL over `response.code` and `response.code_details`. */
  readonly when: string;
  readonly error: GatewayError;
  /** The status is Envoy's, whatever it is. */
  readonly anyStatus?: boolean;
  /** Adds `retry-after: 1`: the service is back within a second after a restart. */
  readonly retryAfter?: boolean;
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
  error: new GatewayError(
    'gateway_unavailable',
    'The gateway cannot decide about requests at the moment. Try again shortly.',
  ),
  retryAfter: true,
};

/** A request that breaks HTTP itself: none of the codes says it, so clients read none. */
function brokenHttp(status: number, message: string): GatewayError {
  return new GatewayError('invalid_json', message, { status, shownCode: null });
}

const LOCAL_REPLIES: readonly LocalReply[] = [
  { when: SERVICE_FAILED, ...GATEWAY_UNAVAILABLE },
  {
    when: UPSTREAM_FAILED,
    error: new GatewayError('upstream_unavailable', 'No provider could be reached for this request.'),
  },
  {
    when: 'response.code == 504',
    error: new GatewayError('upstream_timeout', 'The provider did not answer in time.'),
  },
  {
    when: 'response.code == 413',
    error: new GatewayError('request_too_large', 'The request body is larger than this gateway accepts.'),
  },
  { when: 'response.code == 404', error: new GatewayError('not_found', 'There is no such endpoint.') },
  {
    when: "response.code_details == 'upgrade_failed'",
    error: new GatewayError(
      'unsupported_endpoint',
      'Protocol upgrades are not supported here, only WebSocket at /v1/realtime.',
    ),
  },
  { when: 'response.code == 431', error: brokenHttp(431, 'The request headers are larger than this gateway accepts.') },
  { when: 'response.code == 408', error: brokenHttp(408, 'The request did not arrive completely in time.') },
  {
    when: 'response.code >= 400 && response.code < 500',
    error: brokenHttp(400, 'The request is not valid HTTP for this gateway.'),
    anyStatus: true,
  },
  { when: 'response.code >= 500', ...GATEWAY_UNAVAILABLE },
];

/** The service's own ImmediateResponses are local replies too: their details say so, and they stay as they are. */
const OURS = `response.code_details == '' || response.code_details.startsWith('${OWN_DETAILS_PREFIX}')`;

/** The client's path: kept in metadata before the service rewrites it; requests that get no filter have it in their headers. */
const PATH = `(has(metadata.filter_metadata.${REQUEST_NAMESPACE}) ? metadata.filter_metadata.${REQUEST_NAMESPACE}.path : request.url_path)`;

/** Paths whose clients read one error shape: this path and all below it, only those with one of the endings if there are any. */
export interface ShapedPaths {
  readonly shape: ErrorShape;
  readonly below: string;
  readonly endings: readonly string[];
}

const GOOGLE_VERBS = [
  'generateContent',
  'streamGenerateContent',
  'countTokens',
  'embedContent',
  'batchEmbedContents',
  'predict',
];

/** Where clients read another shape than OpenAI's. (No regular expressions: CEL takes none of this size.) */
export const SHAPED_PATHS: readonly ShapedPaths[] = [
  { shape: 'anthropic', below: '/v1/messages', endings: [] },
  { shape: 'google', below: '/v1beta', endings: [] },
  { shape: 'google', below: '/v1/models', endings: GOOGLE_VERBS.map((verb) => `:${verb}`) },
];

/** Gives every reply that Envoy makes up itself a JSON body in the client's error shape. */
export function localReplies(): EnvoyConfig {
  const mappersOf = (shape: ErrorShape, onPath: string) => LOCAL_REPLIES.map((reply) => mapper(reply, shape, onPath));
  const mappers = SHAPED_PATHS.flatMap((paths) => mappersOf(paths.shape, isOneOf(paths)));
  // Standing first, it spares the service's own answers the look at all the others.
  return { mappers: [{ filter: when(OURS) }, ...mappers, ...mappersOf('openai', 'true')] };
}

function isOneOf({ below, endings }: ShapedPaths): string {
  if (endings.length === 0) return `(${PATH} == '${below}' || ${PATH}.startsWith('${below}/'))`;
  const ends = endings.map((ending) => `${PATH}.endsWith('${ending}')`).join(' || ');
  return `${PATH}.startsWith('${below}/') && (${ends})`;
}

function when(expression: string): EnvoyConfig {
  const type = 'extensions.access_loggers.filters.cel.v3.ExpressionFilter';
  return { extension_filter: extension('envoy.access_loggers.extension_filters.cel', type, { expression }) };
}

function mapper(reply: LocalReply, shape: ErrorShape, onPath: string): EnvoyConfig {
  const retryAfter = { header: { key: 'retry-after', value: '1' }, append_action: 'OVERWRITE_IF_EXISTS_OR_ADD' };
  return {
    filter: when(`(${reply.when}) && ${onPath}`),
    ...(reply.anyStatus === true ? {} : { status_code: reply.error.status }),
    ...(reply.retryAfter === true ? { headers_to_add: [retryAfter] } : {}),
    body_format_override: { content_type: 'application/json', json_format: body(reply, shape) },
  };
}

/** As the service would say it; only Envoy knows the id, and the status where it is Envoy's. */
function body({ error, anyStatus }: LocalReply, shape: ErrorShape): EnvoyConfig {
  const text = renderError(error, shape, `%DYNAMIC_METADATA(${REQUEST_NAMESPACE}:id)%`).body.toString();
  const rendered = JSON.parse(text) as { error: Record<string, unknown> };
  if (anyStatus === true && shape === 'google') rendered.error['code'] = '%RESPONSE_CODE%';
  return rendered;
}

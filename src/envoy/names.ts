/**
 * Names that Envoy's configuration and the service must agree on.
 * Who writes what: only the service writes the metadata namespace `tollgate` (the gate trusts it); Envoy's own filters
 * write `tollgate_request`; the `again` filter writes `tollgate_attempt`.
 */

/** Decision, targets, rid and the facts for the access log. Written by the service alone. */
export const METADATA_NAMESPACE = 'tollgate';
/** `content_length` of the body of one attempt, set by every answer of the `again` role. */
export const ATTEMPT_NAMESPACE = 'tollgate_attempt';
/** The request's id and the client's path, kept by Envoy because later filters change or remove those headers. */
export const REQUEST_NAMESPACE = 'tollgate_request';

/** The gate lets a request pass when `tollgate.decision` is this. */
export const GATE_KEY = 'decision';
export const GATE_PASS = 'pass';
/** `tollgate.translated` is this where the answer may be written in another dialect than the provider's. */
export const TRANSLATED_KEY = 'translated';
export const TRANSLATED_YES = '1';

/** Static cluster of the service itself. */
export const SERVICE_CLUSTER = 'tollgate';
/** Static cluster without hosts: the route's group when the service gave no targets. */
export const DEFAULT_CLUSTER = 'none';

/** gRPC initial metadata: which filter opened the stream, and the request id that pins streams to one of several processes. */
export const ROLE_METADATA = 'role';
export const RID_METADATA = 'x-rid';
/** Says to the service which routes of ours are there, so that it asks no older bootstrap for what that does not have. */
export const ROUTES_METADATA = 'routes';
export const LONE_ROUTE = 'lone';
export const ROLE_REQUEST = 'request';
export const ROLE_PEEK = 'peek';
export const ROLE_AGAIN = 'again';
export const ROLE_ANSWER = 'answer';

/** Request header, set by the `request` role: `1` has `peek` hold the answer of attempt 1 until the service has judged it. */
export const PEEK_HEADER = 'x-tollgate-peek';
/** Request header, set by the `request` role: the one cluster of a request whose attempts all go to the same one. */
export const CLUSTER_HEADER = 'x-tollgate-cluster';
/** Response header by which `peek` and `again` may ask for the next target without changing the status (see routes.ts). */
export const RETRY_HEADER = 'x-tollgate-retry';

/** Headers of ours that a client may send; every other `x-tollgate-*` is removed before any filter runs. */
export const CLIENT_HEADERS: readonly string[] = ['x-tollgate-metadata', 'x-tollgate-cache', 'x-tollgate-provider-key'];

/**
 * `details` of an ImmediateResponse of the service must be empty or start with this: local replies with any other
 * details are Envoy's own and get their JSON from `local-replies.ts`.
 */
export const OWN_DETAILS_PREFIX = 'tollgate_';

export const LISTENER_NAME = 'gateway';
/** Prefix of the statistics of the connection manager: `http.gateway.downstream_rq_active`. */
export const STAT_PREFIX = 'gateway';

const CLUSTER_PREFIX = 'provider-';
const UPGRADE_PREFIX = 'upgrade-';

/** The name of a provider's cluster, as it stands in metadata, statistics and access log. */
export function clusterName(provider: string): string {
  return `${CLUSTER_PREFIX}${provider}`;
}

/** The cluster for a provider's WebSockets, which begin in HTTP/1.1. */
export function upgradeClusterName(provider: string): string {
  return `${UPGRADE_PREFIX}${provider}`;
}

/** The provider of a cluster of either kind; null for `tollgate`, `none` and anything unknown. */
export function providerOfCluster(cluster: string): string | null {
  const prefix = [CLUSTER_PREFIX, UPGRADE_PREFIX].find((each) => cluster.startsWith(each));
  return prefix !== undefined && cluster.length > prefix.length ? cluster.slice(prefix.length) : null;
}

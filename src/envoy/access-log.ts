import { METADATA_NAMESPACE, REQUEST_NAMESPACE } from './names.js';
import { type EnvoyConfig, extension } from './typed-config.js';

const ours = (key: string) => `%DYNAMIC_METADATA(${METADATA_NAMESPACE}:${key})%`;
const kept = (key: string) => `%DYNAMIC_METADATA(${REQUEST_NAMESPACE}:${key})%`;

/**
 * The fields of an access-log line, the second meter. A single operator keeps its type: numbers are numbers, absent
 * values are null. `id` and `path` come from metadata because the headers are gone or rewritten when the line is made.
 */
export const ACCESS_LOG_FIELDS: Readonly<Record<string, string>> = {
  /** ISO 8601 UTC with milliseconds: when the request's first byte came. */
  time: '%START_TIME(%Y-%m-%dT%H:%M:%S.%3fZ)%',
  id: kept('id'),
  method: '%REQ(:METHOD)%',
  /** The client's path without its query, which may hold a key on Google's paths. */
  path: kept('path'),
  protocol: '%PROTOCOL%',
  /** Number of the client's connection, by which the lines of failed attempts find their request. */
  connection: '%CONNECTION_ID%',
  remote: '%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%',
  /** 0 when the client left before any response. */
  status: '%RESPONSE_CODE%',
  /** Why a stream ended: DC client left, UPE UC UR provider, UT timeout, SI idle; `-` for nothing special. */
  flags: '%RESPONSE_FLAGS%',
  details: '%RESPONSE_CODE_DETAILS%',
  /** Body bytes. */
  bytes_received: '%BYTES_RECEIVED%',
  bytes_sent: '%BYTES_SENT%',
  ms: '%DURATION%',
  /** Until the first byte of the response went to the client. */
  first_byte_ms: '%COMMON_DURATION(DS_RX_BEG:DS_TX_BEG:ms)%',
  attempts: '%UPSTREAM_REQUEST_ATTEMPT_COUNT%',
  /** Cluster of the last attempt. */
  cluster: '%UPSTREAM_CLUSTER_RAW%',
  failure: '%UPSTREAM_TRANSPORT_FAILURE_REASON%',
  key: ours('key'),
  model: ours('model'),
  endpoint: ours('endpoint'),
  stream: ours('stream'),
  generation: ours('generation'),
};

/**
 * The fields of an attempt-log line: one for each attempt that failed, in the order in which they did. Envoy knows no
 * metadata here, and `strip` has taken the request's id away: an attempt belongs to the request on the same `connection`
 * during whose time it ran. Over HTTP/2 several may run there at once; then cluster and time tell most of them apart.
 */
export const ATTEMPT_LOG_FIELDS: Readonly<Record<string, string>> = {
  /** ISO 8601 UTC with milliseconds: when the attempt began. */
  time: '%START_TIME(%Y-%m-%dT%H:%M:%S.%3fZ)%',
  connection: '%CONNECTION_ID%',
  cluster: '%UPSTREAM_CLUSTER_RAW%',
  /** As the router judged it, that is after `peek` or `again`; 0 when no response came. */
  status: '%RESPONSE_CODE%',
  /** UF not connected, UC UR UPE the provider broke off, UT timeout, DC the client left, `-` where the status says it. */
  flags: '%RESPONSE_FLAGS%',
  /** Why it was not connected: refused, TLS. */
  failure: '%UPSTREAM_TRANSPORT_FAILURE_REASON%',
  ms: '%DURATION%',
};

/** JSON lines, one for each request. */
export function accessLog(path: string): EnvoyConfig {
  return jsonLines(path, ACCESS_LOG_FIELDS);
}

/** JSON lines, one for each attempt without a good answer: status 400 and above or none, or anything that Envoy flags. */
export function attemptLog(path: string): EnvoyConfig {
  const status = (op: string, value: number) => ({
    status_code_filter: { comparison: { op, value: { default_value: value, runtime_key: 'tollgate.unset' } } },
  });
  const failed = { or_filter: { filters: [status('GE', 400), status('EQ', 0), { response_flag_filter: {} }] } };
  return { ...jsonLines(path, ATTEMPT_LOG_FIELDS), filter: failed };
}

function jsonLines(path: string, fields: EnvoyConfig): EnvoyConfig {
  return extension('envoy.access_loggers.file', 'extensions.access_loggers.file.v3.FileAccessLog', {
    path,
    log_format: { json_format: fields },
  });
}

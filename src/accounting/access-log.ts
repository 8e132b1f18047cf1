/** One finished request as Envoy saw it: the second meter. Rendered by the JSON access log; absent values are null. */
export interface AccessLogLine {
  /** ISO 8601 UTC, when the request's first byte came. */
  readonly time: string;
  /** Envoy's number of the client's connection; ties the lines of attempts to their request. */
  readonly connection: number | null;
  /** The request id, which is the id of hold and final entry. */
  readonly id: string;
  readonly method: string | null;
  readonly path: string | null;
  /** 0 when the client left before any response. */
  readonly status: number;
  /** Envoy's response flags (`DC`, `UF`, `URX`…); empty when nothing was special. */
  readonly flags: readonly string[];
  /** `via_upstream`, or why Envoy answered by itself. */
  readonly details: string | null;
  /** Body bytes. */
  readonly bytes_received: number;
  readonly bytes_sent: number;
  readonly ms: number;
  readonly first_byte_ms: number | null;
  /** Upstream tries; 0 when no provider was asked. */
  readonly attempts: number;
  readonly cluster: string | null;
  /** Transport failure of the last try. */
  readonly failure: string | null;
  readonly key: string | null;
  readonly model: string | null;
  readonly endpoint: string | null;
  readonly stream: boolean | null;
  readonly generation: string | null;
}

/** What a comparison with the ledger needs of a line. */
export type AccessLogFacts = Pick<
  AccessLogLine,
  'id' | 'status' | 'flags' | 'bytes_received' | 'bytes_sent' | 'attempts' | 'cluster' | 'generation'
>;

/**
 * A line without flags in the order in which Envoy writes its fields. A quotation mark within a value has a backslash before it,
 * so no value looks like a field.
 */
const PLAIN_LINE =
  /^\{"attempts":(\d+),"bytes_received":(\d+),"bytes_sent":(\d+),"cluster":"([\w./:-]+)",.*?"flags":"-","generation":"(\w+)","id":"([\w.:-]+)",.*"status":(\d+),"stream":/;

/** Reads what nearly all lines say, at a quarter of the cost of parsing them; null = `parseAccessLogLine` has to. */
export function plainFacts(line: string): AccessLogFacts | null {
  const found = PLAIN_LINE.exec(line);
  if (found === null) return null;
  const [, attempts, received, sent, cluster = '', generation = '', id = '', status] = found;
  if (cluster === '-' || id === '-') return null;
  return {
    id,
    status: Number(status),
    flags: NO_FLAGS,
    bytes_received: Number(received),
    bytes_sent: Number(sent),
    attempts: Number(attempts),
    cluster,
    generation,
  };
}

const NO_FLAGS: readonly string[] = [];

/** Reads one line; null when it is not JSON or has no id or time. `-`, the empty string and null all mean absent. */
export function parseAccessLogLine(line: string): AccessLogLine | null {
  const fields = parseObject(line);
  const id = fields && text(fields['id']);
  const time = fields && text(fields['time']);
  if (!fields || !id || !time) return null;
  return {
    time,
    connection: number(fields['connection']),
    id,
    method: text(fields['method']),
    path: text(fields['path']),
    status: number(fields['status']) ?? 0,
    flags: text(fields['flags'])?.split(',') ?? [],
    details: text(fields['details']),
    bytes_received: number(fields['bytes_received']) ?? 0,
    bytes_sent: number(fields['bytes_sent']) ?? 0,
    ms: number(fields['ms']) ?? 0,
    first_byte_ms: number(fields['first_byte_ms']),
    attempts: number(fields['attempts']) ?? 0,
    cluster: text(fields['cluster']),
    failure: text(fields['failure']),
    key: text(fields['key']),
    model: text(fields['model']),
    endpoint: text(fields['endpoint']),
    stream: truth(fields['stream']),
    generation: text(fields['generation']),
  };
}

function parseObject(line: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : null;
  } catch {
    return null;
  }
}

function text(value: unknown): string | null {
  if (typeof value === 'number') return String(value);
  return typeof value === 'string' && value !== '' && value !== '-' ? value : null;
}

function number(value: unknown): number | null {
  const parsed = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof parsed === 'number' && Number.isFinite(parsed) && parsed >= 0 ? parsed : null;
}

function truth(value: unknown): boolean | null {
  if (typeof value === 'boolean') return value;
  return value === 'true' ? true : value === 'false' ? false : null;
}

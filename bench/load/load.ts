/** What one run of the load generator is to do; comes as a message from the process that started it. */
export interface Load {
  readonly port: number;
  readonly requests: number;
  /** Open loop and `hold`: the most. */
  readonly connections: number;
  /** Model name as the gateway under test wants it. */
  readonly model: string;
  readonly stream: boolean;
  /** Bytes of prompt. */
  readonly prompt: number;
  readonly key: string;
  /**
   * Requests per second, sent when they are due whatever the answers do (open loop). Not given: each connection sends
   * when its answer has ended (closed loop).
   */
  readonly rate?: number;
  /** Status of an answer that counts as good, or several of them. Not given: 200. */
  readonly status?: number | readonly number[];
  /** Taken in turn instead of `model` and of `key`. */
  readonly models?: readonly string[];
  readonly keys?: readonly string[];
  /** Further headers, lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Closed loop: after so many no further request is sent, `requests` is the most. */
  readonly seconds?: number;
  /** A connection on which for so long nothing moves fails with its request; not given: 30. */
  readonly patienceSeconds?: number;
  /** The run ends when every answer has begun; the connections stay open until the next message. Needs `rate`. */
  readonly hold?: boolean;
}

export interface Quantiles {
  readonly p50: number;
  readonly p99: number;
}

/** Times in milliseconds. */
export interface LoadResult {
  readonly ok: number;
  readonly failed: number;
  /** What became of the first one that failed; null if none did. */
  readonly problem: string | null;
  readonly seconds: number;
  /** To the first byte of the answer's body, and to its end; from when the request was due. */
  readonly firstByte: Quantiles;
  readonly total: Quantiles;
  /** How long events that say when they were sent took, and how many said so; null if none. */
  readonly events: (Quantiles & { readonly count: number }) | null;
  /** How late the generator itself was with requests of an open loop. */
  readonly behind: Quantiles | null;
  /** CPU of the generator, microseconds per request. */
  readonly cpu: number;
}

import type { Usage } from '../../dialects/usage.js';

/** One try at one target. */
export interface AttemptEntry {
  readonly target: string;
  /** The provider's HTTP status; null when there was none (refused, reset, timeout). */
  readonly status: number | null;
  readonly outcome: 'success' | 'error' | 'aborted' | 'unknown';
  /** Why it failed: `429`, `connect`, `reset`, `timeout`…; null on success. */
  readonly reason: string | null;
  readonly ms: number;
  readonly first_token_ms: number | null;
}

/** Written before the first upstream byte. Enough to settle the request after a crash. */
export interface HoldEntry {
  readonly type: 'hold';
  readonly id: string;
  /** ISO 8601 UTC, when the request arrived. */
  readonly time: string;
  readonly key: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly user: string;
  readonly endpoint: string;
  /** The name the client asked for. */
  readonly model: string;
  readonly route: string | null;
  /** `provider/model` in the order of attempts. */
  readonly targets: readonly string[];
  readonly stream: boolean;
  /** Upper bound of input tokens, from the body. */
  readonly input_tokens: number;
  /** What the input probably is; absent = nobody counted. */
  readonly input_estimate?: number;
  /** The answer's usage chunk is taken out because the client did not ask for it; without us it passes. Absent = no. */
  readonly hides_usage?: true;
  readonly snapshot: string;
  /** Epoch milliseconds after which an open hold is given up as `estimate`. */
  readonly expires: number;
  /** Place of each counter that holds for this request → amount held (`store/counter-store.ts`); absent = none. */
  readonly limits?: Readonly<Record<string, number>>;
}

/** The record of a finished request; `GET /api/v1/requests` answers these fields as they are (without `type`). */
export interface FinalEntry {
  /**
   * `settle`: the provider's own usage · `estimate`: counted by us · `void`: nothing was billed ·
   * `refusal`: refused before any hold (policy or bad request of a known key).
   */
  readonly type: 'settle' | 'estimate' | 'void' | 'refusal';
  readonly id: string;
  readonly time: string;
  readonly key: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly user: string;
  readonly endpoint: string;
  readonly model: string;
  readonly route: string | null;
  /** The target that answered, null for refusals and when none did. */
  readonly target: string | null;
  readonly answered_model: string | null;
  readonly stream: boolean;
  /** What the client got; 499 when it left before the answer. */
  readonly status: number;
  /** Error code of design 1.6 without its prefix, or null. */
  readonly code: string | null;
  readonly attempts: readonly AttemptEntry[];
  readonly usage: Partial<Usage>;
  readonly usage_source: 'provider' | 'estimated' | 'mixed' | null;
  /** Integer nano-dollars; null when the price is unknown. */
  readonly cost_nano_usd: number | null;
  readonly cost_parts: Readonly<Record<string, number>>;
  readonly price_version: string | null;
  /** The tier that the answer named (`flex`, `priority`, `batch`…), absent when it named none or the default. */
  readonly service_tier?: string;
  /** What the provider itself said that it charges; absent when it said nothing. */
  readonly stated_cost_nano_usd?: number;
  /** Places of the counters that this request was settled in; absent = none. */
  readonly limits?: readonly string[];
  /** Written by recovery, after the process that held the request had died; absent = by that process itself. */
  readonly recovered?: true;
  readonly first_token_ms: number | null;
  readonly ms: number;
  readonly cache: 'hit' | 'miss' | 'semantic' | null;
  readonly snapshot: string;
}

export type LedgerEntry = HoldEntry | FinalEntry;

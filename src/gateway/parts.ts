import type { EnvoyLog } from '../accounting/envoy-log.js';
import type { FinalEntry } from '../accounting/ledger/entry.js';
import type { Ledger } from '../accounting/ledger/ledger.js';
import type { PriceBook } from '../accounting/prices.js';
import type { TokenCounter } from '../accounting/tokens/token-counter.js';
import type { Snapshot } from '../config/snapshot.js';
import type { Access } from '../policy/access.js';
import type { BadKeyGuard } from '../policy/keys/bad-key-guard.js';
import type { KeyRing } from '../policy/keys/key-ring.js';
import type { Limiter } from '../policy/limits/limiter.js';
import type { ModelList } from '../policy/routing/model-list.js';
import type { Resolver } from '../policy/routing/resolve.js';
import type { RetryBudget } from '../policy/routing/retry-budget.js';
import type { Router } from '../policy/routing/routes.js';
import type { CredentialPool } from '../providers/credentials/credential-pool.js';
import type { Health } from '../providers/health/health.js';
import type { ProviderKind } from '../providers/kind.js';
import type { LongWork } from './long-work/long-work.js';

/** Everything that is decided when a snapshot is compiled. A request keeps the rules it started with. */
export interface Rules {
  readonly snapshot: Snapshot;
  readonly keys: KeyRing;
  readonly access: Access;
  /** May this key use the client's path? */
  readonly endpoints: Access;
  readonly resolver: Resolver;
  readonly models: ModelList;
  readonly prices: PriceBook;
  readonly router: Router;
  readonly limiter: Limiter;
}

export interface Clock {
  /** Epoch milliseconds. */
  now(): number;
  /** Monotonic milliseconds with fractions. */
  monotonic(): number;
}

/** A request that ended without an entry in the ledger: unknown keys, unknown paths, bodies too large. */
export interface Unrecorded {
  readonly id: string;
  readonly endpoint: string;
  readonly status: number;
  readonly code: string;
  readonly key: string | null;
  readonly ms: number;
}

export interface ContentSink {
  write(content: {
    readonly id: string;
    readonly time: string;
    readonly request: Buffer;
    readonly response: Buffer;
  }): void;
}

/**
 * `usage_mismatch`: the provider states far fewer output tokens than it sent; `tier_unpriced`: booked at the standard price because
 * nothing is known of the answer's service tier; `stated_cost_differs`: the provider's own cost is another than ours.
 */
export type UsageRemark = 'usage_mismatch' | 'tier_unpriced' | 'stated_cost_differs';

/** Where finished requests are told: records, metrics, log. Never throws. */
export interface Reporter {
  finished(entry: FinalEntry): void;
  unrecorded(request: Unrecorded): void;
  attempt(provider: string, outcome: 'success' | 'error' | 'aborted' | 'unknown'): void;
  /** A provider refused the credential that the operator gave for it. */
  credentialRefused(provider: string): void;
  /** Seconds that the service held the request before it could leave for the provider. */
  overhead(seconds: number): void;
  /** Usage or cost was booked, and somebody should look at it. */
  remark(remark: UsageRemark): void;
  /** A thing that should not happen; full detail for the log. */
  fault(what: string, error: unknown): void;
}

/** What every stage of a request may use. */
export interface Parts {
  /** The rules in force now. */
  rules(): Rules;
  readonly kinds: ReadonlyMap<string, ProviderKind>;
  readonly credentials: CredentialPool;
  /** Every header that some kind puts a credential in. */
  readonly credentialHeaders: readonly string[];
  readonly ledger: Ledger;
  readonly badKeys: BadKeyGuard;
  /** Why transports failed and who ended streams. */
  readonly envoyLog: Pick<EnvoyLog, 'ask'>;
  readonly health: Health;
  readonly retryBudget: RetryBudget;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly report: Reporter;
  readonly clock: Clock;
  /** Envoy's cluster of a provider. */
  readonly clusterOf: (provider: string) => string;
  /** The one that takes upgrades to WebSocket. */
  readonly upgradeClusterOf: (provider: string) => string;
  /** Names this process among its generations. */
  readonly generation: string;
  readonly tokens: TokenCounter;
  readonly longWork: LongWork;
  /** Keeps prompts and answers; null = nobody does. */
  readonly content: ContentSink | null;
  /** Number of the next credential choice, so that weights rotate. */
  readonly rotation: () => number;
}

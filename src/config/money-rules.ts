import type { Secret } from '../observability/secret.js';

/** Dollars off by contract, from the list price or an override; the first match wins. */
export interface Discount {
  /** Glob over `provider/model`. */
  readonly model: string;
  /** All must be equal; empty = every key. */
  readonly labels: Readonly<Record<string, string>>;
  /** 0.15 = 15 % off. */
  readonly share: number;
  /** Epoch milliseconds, inclusive; null = always. */
  readonly from: number | null;
  /** Exclusive. */
  readonly until: number | null;
}

/** What one dollar costs in a currency from a day on. */
export interface CurrencyRate {
  /** ISO 4217. */
  readonly currency: string;
  /** Decimal as written, such as `0.92`. */
  readonly perDollar: string;
  /** Epoch milliseconds, inclusive; null = from the beginning. */
  readonly from: number | null;
}

/** What a customer is charged. */
export interface BillingPlan {
  readonly name: string;
  /** All must be equal; empty = every request. */
  readonly labels: Readonly<Record<string, string>>;
  /** ISO 4217. */
  readonly currency: string;
  /** On top of cost: 0.2 = 20 %. Decimal as written; `0` without a mark-up. */
  readonly markup: string;
  /** Own price list, in the plan's currency, before the mark-up on cost; the first match wins. */
  readonly prices: readonly PlanPrice[];
}

/** In the plan's currency. */
export interface PlanPrice {
  /** Glob over the model name that the client asked for. */
  readonly model: string;
  /** Decimals as written, per million tokens. */
  readonly input: string;
  readonly output: string;
  readonly cacheRead: string | null;
  readonly cacheWrite: string | null;
  /** Per request. */
  readonly request: string;
}

export interface Billing {
  /** Who is invoiced: `key.labels.<name>` or `user` or `key`. */
  readonly customer: string;
  readonly rates: readonly CurrencyRate[];
  /** The first whose labels match; requests without one are not charged. */
  readonly plans: readonly BillingPlan[];
}

/** Where finished requests are sent, at least once each. */
export interface Exporter {
  readonly name: string;
  readonly kind: 'webhook' | 'openmeter' | 'lago' | 'stripe';
  readonly url: string;
  /** Bearer token, or the key that signs a webhook. */
  readonly secret: Secret | null;
  /** Most events in one request. */
  readonly batch: number;
  /** Field that names the customer, as in billing. */
  readonly customer: string;
}

export interface Alerts {
  readonly webhook: string;
  /** Signs the body (HMAC-SHA256); null = not signed. */
  readonly secret: Secret | null;
  /** Share of requests with estimated usage over an hour that is worth a word; null = none. */
  readonly estimatedRatio: number | null;
}

/** Milliseconds; null = kept for ever. */
export interface Retention {
  readonly recordsMs: number | null;
  readonly contentMs: number | null;
  readonly rollupsMs: number | null;
  /** Ledger segments, only once their entries are in the records. */
  readonly ledgerMs: number | null;
}

/** Keys that an identity provider signs. */
export interface JwtIssuer {
  /** Exact value of `iss`. */
  readonly issuer: string;
  readonly jwksUrl: string;
  /** One of them must be in `aud`; null = not checked. */
  readonly audience: readonly string[] | null;
  /** Claim that becomes the key's id, such as `sub`. */
  readonly id: string;
  /** Label name → claim, dots for nested ones. */
  readonly labels: Readonly<Record<string, string>>;
  /** Fixed labels. */
  readonly fixed: Readonly<Record<string, string>>;
  readonly models: readonly string[] | null;
  readonly endpoints: readonly string[] | null;
}

export type StoreSettings =
  | { readonly kind: 'memory' }
  | {
      readonly kind: 'redis';
      readonly url: Secret;
      /** Several servers of one cluster. */
      readonly cluster: boolean;
      /** First part of every key, inside the hash tag. */
      readonly prefix: string;
      /** How long an answer may take before the store counts as unreachable. */
      readonly timeoutMs: number;
    };

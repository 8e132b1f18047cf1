import type { Condition } from './condition.js';

/** The length of a counter's life. Windows of a duration are aligned to the epoch. */
export type LimitWindow =
  | { readonly kind: 'duration'; readonly ms: number }
  | { readonly kind: 'calendar'; readonly unit: 'minute' | 'hour' | 'day' | 'week' | 'month' }
  | { readonly kind: 'total' };

export interface Bound {
  /** Requests, tokens, or nano-dollars. */
  readonly max: bigint;
  readonly window: LimitWindow;
  /** A rolling window; only for durations. */
  readonly sliding: boolean;
}

export type TokenKind = 'input' | 'output' | 'total';

/** A field whose value splits a limit into counters: `key.id`, `key.labels.team`, `request.user`, `request.metadata.customer`… */
export type PartitionField =
  | { readonly kind: 'key.id' | 'request.user' | 'request.model' | 'request.endpoint' }
  | { readonly kind: 'key.labels' | 'request.metadata' | 'request.headers'; readonly name: string };

export type LimitAction =
  | { readonly kind: 'reject' }
  /** Counted and reported, never refused. */
  | { readonly kind: 'shadow' }
  /** Served by another model instead; the limit itself counts on. */
  | { readonly kind: 'use'; readonly model: string };

/** One entry of `limits`. At least one of the four bounds is there. */
export interface LimitRule {
  readonly name: string;
  /** null = every request. */
  readonly when: Condition | null;
  readonly per: readonly PartitionField[];
  readonly requests: Bound | null;
  readonly tokens: (Bound & { readonly of: TokenKind }) | null;
  readonly cost: Bound | null;
  readonly concurrent: number | null;
  /** Shares of `max` (0.8 = 80 %), ascending. */
  readonly alertAt: readonly number[];
  readonly action: LimitAction;
  /** With an unreachable store: true = refuse, false = a share in this process for a minute. */
  readonly hard: boolean;
}

/** One entry of `routes`: the first that matches replaces the model. */
export interface RouteRule {
  /** Position in the list, from 0: the name in records. */
  readonly name: string;
  readonly when: Condition | null;
  readonly model: string;
}

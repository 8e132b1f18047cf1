import type { FinalEntry } from '../ledger/entry.js';

/** A span of arrival times, epoch milliseconds: `from` inclusive, `to` exclusive; null or absent = open. */
export interface Span {
  readonly from?: number | null;
  readonly to?: number | null;
}

/** Filters of `GET /api/v1/requests`; all that are given must hold. Null or absent = not filtered by it. */
export interface RequestFilter extends Span {
  readonly key?: string | null;
  /** The name that was asked for. */
  readonly model?: string | null;
  readonly target?: string | null;
  readonly status?: number | null;
  readonly code?: string | null;
  readonly user?: string | null;
  readonly labels?: Readonly<Record<string, string>>;
}

/** Whether the request arrived in the span. */
export function isWithin(entry: FinalEntry, span: Span): boolean {
  const from = span.from ?? null;
  const to = span.to ?? null;
  if (from === null && to === null) return true;
  const arrived = Date.parse(entry.time);
  return (from === null || arrived >= from) && (to === null || arrived < to);
}

import type { FinalEntry } from '../ledger/entry.js';

/** Filters of `GET /api/v1/requests`; all given ones must hold. */
export interface RequestFilter {
  readonly key?: string;
  /** The name that was asked for. */
  readonly model?: string;
  readonly target?: string;
  readonly status?: number;
  readonly code?: string;
  readonly user?: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** Epoch milliseconds: `from` inclusive, `to` exclusive, by the arrival of the request. */
  readonly from?: number;
  readonly to?: number;
}

export function matchesFilter(entry: FinalEntry, filter: RequestFilter): boolean {
  const { key, model, target, status, code, user } = filter;
  if (key !== undefined && entry.key !== key) return false;
  if (model !== undefined && entry.model !== model) return false;
  if (target !== undefined && entry.target !== target) return false;
  if (status !== undefined && entry.status !== status) return false;
  if (code !== undefined && entry.code !== code) return false;
  if (user !== undefined && entry.user !== user) return false;
  return hasLabels(entry, filter.labels ?? {}) && isWithin(entry, filter);
}

/** Whether the request arrived in the span. */
export function isWithin(entry: FinalEntry, span: { readonly from?: number; readonly to?: number }): boolean {
  if (span.from === undefined && span.to === undefined) return true;
  const arrived = Date.parse(entry.time);
  return arrived >= (span.from ?? Number.NEGATIVE_INFINITY) && arrived < (span.to ?? Number.POSITIVE_INFINITY);
}

function hasLabels(entry: FinalEntry, labels: Readonly<Record<string, string>>): boolean {
  return Object.entries(labels).every(
    ([name, value]) => Object.hasOwn(entry.labels, name) && entry.labels[name] === value,
  );
}

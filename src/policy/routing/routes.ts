import type { Subject } from '../../config/condition.js';
import type { RouteRule } from '../../config/limit-rules.js';

export interface Router {
  /** Limits that some condition names: their state must be there before `route` is called. */
  readonly limitsNamed: readonly string[];
  /** The first rule that matches; null = the model that was asked for. */
  route(subject: Subject): RouteRule | null;
}

/** The rules of one snapshot. */
export function createRouter(routes: readonly RouteRule[]): Router {
  return {
    limitsNamed: [...new Set(routes.flatMap((rule) => rule.when?.limits ?? []))],
    route: (subject) => routes.find((rule) => rule.when?.matches(subject) ?? true) ?? null,
  };
}

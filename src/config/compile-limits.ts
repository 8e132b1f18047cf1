import type { Bound, LimitAction, LimitRule, RouteRule } from './limit-rules.js';
import type { ValidLimit, ValidRoute } from './limit-schema.js';

export function compileLimit(limit: ValidLimit): LimitRule {
  const { name, when, per, requests, tokens, cost, concurrent, alert_at, action, hard } = limit;
  return {
    name,
    when: when ?? null,
    per,
    requests: requests === undefined ? null : boundOf(requests),
    tokens: tokens === undefined ? null : { ...boundOf(tokens), of: tokens.of },
    cost: cost === undefined ? null : boundOf(cost),
    concurrent: concurrent ?? null,
    alertAt: [...new Set(alert_at)].sort((left, right) => left - right),
    action: actionOf(action),
    hard,
  };
}

export function compileRoute({ when, model }: ValidRoute, index: number): RouteRule {
  return { name: String(index), when: when ?? null, model };
}

function boundOf(bound: { readonly max: number | bigint } & Omit<Bound, 'max'>): Bound {
  return { max: BigInt(bound.max), window: bound.window, sliding: bound.sliding };
}

function actionOf(action: ValidLimit['action']): LimitAction {
  return typeof action === 'string' ? { kind: action } : { kind: 'use', model: action.use };
}

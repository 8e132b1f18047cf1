import type { ModelTarget } from '../config/snapshot.js';
import { GatewayError } from '../dialects/error.js';
import type { RequestFacts } from '../dialects/request-facts.js';
import { balanceTargets } from '../policy/routing/balance.js';
import type { Resolution } from '../policy/routing/resolve.js';
import type { Parts } from './parts.js';
import { attemptPlan } from './plan.js';
import type { Admitted, RequestState } from './state.js';
import { isUpgrade } from './upgrade.js';
import { wayTo } from './way.js';

/** A request's body with what it says. */
export interface ScannedRequest {
  readonly body: Buffer;
  readonly facts: RequestFacts;
}

/** A model put in the place of the one that was asked for, by a route or a limit; `route` is its name in records. */
export interface Instead {
  readonly model: string;
  readonly route: string;
}

/** Name → targets in the order of attempts. Throws the GatewayError that the client gets. */
export function decide(
  parts: Parts,
  state: RequestState,
  { body, facts }: ScannedRequest,
  instead: Instead | null,
): Admitted {
  const { key, endpoint } = state;
  if (!key || !endpoint) throw new Error('admitting without a key');
  // Only the name that the client sent is checked: what rules put in its place is the operator's choice.
  const denied = checkAccess(state, facts.model);
  if (denied) throw denied;
  const resolution = state.rules.resolver.resolve(instead?.model ?? facts.model);
  if (!resolution) throw modelNotFound(parts, state, instead?.model ?? facts.model);
  const { retry, allowUnpriced, outputCap, strict } = resolution;
  const plan = planFor(parts, state, resolution);
  return {
    body,
    facts,
    model: facts.model,
    route: instead?.route ?? null,
    plan,
    retry,
    allowUnpriced,
    outputCap,
    strict,
    askedCap: null,
  };
}

/** `model_not_allowed`, or null when the key may use the name. */
export function checkAccess(state: RequestState, model: string): GatewayError | null {
  if (state.key && state.rules.access(state.key, model)) return null;
  return new GatewayError('model_not_allowed', `This key may not use the model "${shown(model)}".`, { param: 'model' });
}

/** Who is tried, in which order: balance first, the unhealthy last, one try only when the budget for retries is spent. */
function planFor(parts: Parts, state: RequestState, resolution: Resolution): Admitted['plan'] {
  const now = parts.clock.now();
  const { health, random, retryBudget } = parts;
  const latency = (target: ModelTarget): number | null => health.latency(target);
  const balanced = balanceTargets(servable(parts, state, resolution), resolution.balance, { random, latency });
  const plan = attemptPlan(health.order(balanced, now), resolution.retry);
  retryBudget.request(resolution.model, now);
  // An image costs as much as a thousand answers: nobody pays for two unless the config says so.
  const { wire, direct } = state.endpoint ?? {};
  // Nor is a call repeated of which nobody here knows what it does.
  const once =
    (wire === 'openai-images' && resolution.retry.attempts === null) ||
    (direct && wire === 'raw') === true ||
    isUpgrade(wire);
  const allowed = resolution.retryBudget === null || retryBudget.allows(resolution.model, resolution.retryBudget, now);
  return once || !allowed ? plan.slice(0, 1) : plan;
}

/** Targets whose provider serves this endpoint; none is the client's mistake. */
function servable(parts: Parts, state: RequestState, resolution: Resolution): Resolution['targets'] {
  const serves = (target: ModelTarget): boolean => wayTo(parts, state, target) !== null;
  if (resolution.targets.every(serves)) return resolution.targets;
  const targets = resolution.targets.filter(serves);
  if (targets.length > 0) return targets;
  throw new GatewayError(
    'unsupported_endpoint',
    `No target of "${shown(resolution.model)}" serves ${state.endpoint?.path}.`,
    { param: 'model' },
  );
}

export function modelNotFound(parts: Parts, state: RequestState, model: string): GatewayError {
  const missing = missingProvider(parts, state, model);
  if (missing !== null) return new GatewayError('model_not_found', missing, { param: 'model' });
  return new GatewayError(
    'model_not_found',
    `The model "${shown(model)}" does not exist here. Ask GET /v1/models for the list, or use provider/model.`,
    { param: 'model' },
  );
}

/** Words for a name like `openai/gpt-5` whose provider we know but nobody has turned on; null for every other name. */
function missingProvider(parts: Parts, state: RequestState, model: string): string | null {
  const { snapshot } = state.rules;
  const name = model.slice(0, Math.max(0, model.indexOf('/')));
  const kind = parts.kinds.get(name);
  if (!kind || snapshot.gateway.modelsOnly || snapshot.providers.has(name)) return null;
  // Only the built-in configuration turns a provider on because its variable is set.
  const variable = snapshot.path === null && kind.baseUrl !== null ? kind.environment[0] : undefined;
  const way = variable === undefined ? 'add it to the config' : `set ${variable} or add it to the config`;
  return `The provider "${name}" is not configured here (${way}).`;
}

/** A client's own text repeated to it: bounded. */
function shown(text: string): string {
  return text.length > 120 ? `${text.slice(0, 120)}…` : text;
}

import type { ModelTarget, Retry } from '../config/snapshot.js';
import { GatewayError } from '../dialects/error.js';
import { scanRequest, scanRequestInSlices } from '../dialects/request.js';
import type { RequestFacts } from '../dialects/request-facts.js';
import { balanceTargets } from '../policy/routing/balance.js';
import type { Resolution } from '../policy/routing/resolve.js';
import { accountOf, upstreamRequest } from './attempt.js';
import { openAttempt } from './attempts.js';
import type { Parts } from './parts.js';
import { attemptPlan } from './plan.js';
import { CONTINUE, type HeaderPair, type Reply } from './reply.js';
import { retryReasons } from './retry-reasons.js';
import { settle } from './settle.js';
import type { Admitted, RequestState } from './state.js';

/** Bodies above this are scanned in slices, so that no other request waits for more than a few milliseconds. */
const SLICE_ABOVE = 256 * 1024;
/** An open hold is given up after the longest time that Envoy lets a stream live, plus a minute. */
const HOLD_MS = 61 * 60_000;

/** Decides over a request whose body is here: facts, model, targets, hold. `done` gets the last answer of the request phase. */
export function admit(
  parts: Parts,
  state: RequestState,
  body: Buffer,
  done: (result: Reply | GatewayError) => void,
): void {
  const finish = (facts: RequestFacts): void => {
    // Scanning took several turns: the client may have left meanwhile, or Envoy has answered it.
    if (state.gone || state.finished) return;
    try {
      const admitted = decide(parts, state, body, facts);
      state.admitted = admitted;
      hold(parts, state, admitted, done);
    } catch (error) {
      done(error instanceof GatewayError ? error : unexpected(parts, error));
    }
  };
  const endpoint = state.endpoint;
  if (!endpoint) throw new Error('body of an unknown endpoint');
  const type = state.headers.get('content-type') ?? '';
  if (body.length <= SLICE_ABOVE) {
    const facts = scanRequest(endpoint, body, type);
    if (facts instanceof GatewayError) done(facts);
    else finish(facts);
    return;
  }
  scanRequestInSlices(endpoint, body, type).then(
    (facts) => (facts instanceof GatewayError ? done(facts) : finish(facts)),
    (error: unknown) => done(unexpected(parts, error)),
  );
}

function decide(parts: Parts, state: RequestState, body: Buffer, facts: RequestFacts): Admitted {
  const { key, endpoint } = state;
  if (!key || !endpoint) throw new Error('admitting without a key');
  if (facts.user !== '') state.user = facts.user;
  const resolution = state.rules.resolver.resolve(facts.model);
  if (!state.rules.access(key, facts.model)) {
    throw new GatewayError('model_not_allowed', `This key may not use the model "${shown(facts.model)}".`, {
      param: 'model',
    });
  }
  if (!resolution) throw modelNotFound(parts, state, facts.model);
  const plan = planFor(parts, state, resolution);
  return { body, facts, model: facts.model, route: null, plan, retry: resolution.retry };
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
  const once = state.endpoint?.wire === 'openai-images' && resolution.retry.attempts === null;
  const allowed = resolution.retryBudget === null || retryBudget.allows(resolution.model, resolution.retryBudget, now);
  return once || !allowed ? plan.slice(0, 1) : plan;
}

/** Targets whose provider serves this endpoint; none is the client's mistake. */
function servable(parts: Parts, state: RequestState, resolution: Resolution): Resolution['targets'] {
  const wire = state.endpoint?.wire;
  const targets = resolution.targets.filter((target) => {
    const kind = parts.kinds.get(accountOf(state, target).kind);
    return wire !== undefined && kind?.wires.has(wire) === true;
  });
  if (targets.length > 0) return targets;
  throw new GatewayError(
    'unsupported_endpoint',
    `No target of "${shown(resolution.model)}" serves ${state.endpoint?.path}.`,
    { param: 'model' },
  );
}

function hold(
  parts: Parts,
  state: RequestState,
  admitted: Admitted,
  done: (result: Reply | GatewayError) => void,
): void {
  state.hold = 'writing';
  parts.ledger.hold(
    {
      type: 'hold',
      id: state.id,
      time: new Date(state.arrivedAt).toISOString(),
      key: state.key?.id ?? '',
      labels: state.labels,
      user: state.user,
      endpoint: state.endpoint?.path ?? '',
      model: admitted.model,
      route: admitted.route,
      targets: admitted.plan.map((target) => target.name),
      stream: admitted.facts.stream,
      input_tokens: admitted.facts.inputTokensUpper,
      snapshot: state.rules.snapshot.version,
      expires: state.arrivedAt + HOLD_MS,
    },
    (error) => {
      if (error) {
        state.hold = 'none';
        parts.report.fault('writing a hold', error);
        const refusal = 'The gateway cannot write its ledger, so it takes no new requests. Try again soon.';
        done(new GatewayError('ledger_unavailable', refusal, { headers: { 'retry-after': '1' } }));
        return;
      }
      state.hold = 'held';
      if (state.gone || state.finished) {
        // The client left during the write: nothing was sent anywhere, the hold ends as void.
        settle(parts, state);
        return;
      }
      try {
        done(firstAttempt(parts, state, admitted));
      } catch (failure) {
        done(unexpected(parts, failure));
      }
    },
  );
}

function firstAttempt(parts: Parts, state: RequestState, admitted: Admitted): Reply {
  const target = admitted.plan[0];
  if (!target) throw new Error('a plan without a target');
  const upstream = upstreamRequest(parts, state, admitted, target);
  openAttempt(parts, state, 1, target);
  return {
    ...CONTINUE,
    set: [...upstream.set, ...retryHeaders(admitted)],
    remove: upstream.remove,
    body: upstream.body,
    pass: {
      clusters: admitted.plan.map((entry) => parts.clusterOf(entry.provider)),
      log: {
        key: state.key?.id ?? '',
        model: admitted.model,
        endpoint: state.endpoint?.path ?? '',
        stream: admitted.facts.stream,
      },
    },
  };
}

/** Envoy retries; these headers tell it how often, how long, and after which failures. */
function retryHeaders(admitted: Admitted): HeaderPair[] {
  const { plan, retry, facts } = admitted;
  const perTry = Math.max(...plan.map((target) => clockOf(target.retry, facts.stream)));
  const headers: HeaderPair[] = [
    ['x-envoy-max-retries', String(plan.length - 1)],
    ['x-envoy-upstream-rq-per-try-timeout-ms', String(perTry)],
  ];
  if (retry.totalMs > 0) headers.push(['x-envoy-upstream-rq-timeout-ms', String(retry.totalMs)]);
  if (plan.length === 1) return headers;
  const elsewhere = new Set(plan.map((target) => target.name)).size > 1;
  headers.push(...retryReasons(retry.on, elsewhere));
  // A look into the first bytes is worth its price only when another target is left.
  if (elsewhere) headers.push(['x-tollgate-peek', '1']);
  return headers;
}

function clockOf(retry: Retry, stream: boolean): number {
  return stream ? (retry.firstTokenMs ?? retry.responseMs) : retry.responseMs;
}

function modelNotFound(parts: Parts, state: RequestState, model: string): GatewayError {
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

function unexpected(parts: Parts, error: unknown): GatewayError {
  parts.report.fault('admitting a request', error);
  return new GatewayError('gateway_unavailable', 'The gateway could not handle this request.');
}

/** A client's own text repeated to it: bounded. */
function shown(text: string): string {
  return text.length > 120 ? `${text.slice(0, 120)}…` : text;
}

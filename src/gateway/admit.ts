import type { HoldEntry } from '../accounting/ledger/entry.js';
import type { Retry } from '../config/snapshot.js';
import { GatewayError } from '../dialects/error.js';
import { scanRequest, scanRequestInSlices } from '../dialects/request.js';
import type { RequestFacts } from '../dialects/request-facts.js';
import { takesStreamOptions } from '../dialects/splice.js';
import { isoTime } from '../observability/iso-time.js';
import { type UpstreamRequest, upstreamRequest } from './attempt.js';
import { openAttempt } from './attempts.js';
import { countLocally } from './count-locally.js';
import { dropBody } from './drop-body.js';
import { isGone, isLong, longUpstreamRequest } from './long-request.js';
import type { Parts } from './parts.js';
import type { HeaderPair, Reply } from './reply.js';
import { HOLD_MS, release, reserve } from './reserve.js';
import { retryReasons } from './retry-reasons.js';
import { mayRewrite } from './rewriting.js';
import { settle } from './settle.js';
import { hasSpareCredential } from './spare-credential.js';
import type { Admitted, RequestState, Writable } from './state.js';
import { clusterFor } from './upgrade.js';

/** Bodies above this are scanned in slices, so that no other request waits for more than a few milliseconds. */
const SLICE_ABOVE = 256 * 1024;

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
    const counted = countLocally(parts, state, { body, facts });
    if (counted !== null) {
      done(counted);
      return;
    }
    reserve(parts, state, { body, facts }, (result) => {
      if (result instanceof GatewayError) done(result);
      else prepare(parts, state, result, done);
    });
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

type Done = (result: Reply | GatewayError) => void;

/** Writes attempt 1 before anything is promised: what no target can express is refused here. */
function prepare(parts: Parts, state: RequestState, admitted: Admitted, done: Done): void {
  if (isLong(admitted)) {
    prepareLong(parts, state, { admitted, refusal: null }, done);
    return;
  }
  let first: FirstAttempt;
  try {
    first = firstExpressible(parts, state, admitted);
  } catch (error) {
    release(state);
    done(error instanceof GatewayError ? error : unexpected(parts, error));
    return;
  }
  state.admitted = first.admitted;
  hold(parts, state, first, done);
}

interface FirstAttempt {
  readonly admitted: Admitted;
  readonly upstream: UpstreamRequest;
}

/** The first target that can be asked for this; those before it leave the plan. Throws the first target's own refusal. */
function firstExpressible(parts: Parts, state: RequestState, admitted: Admitted): FirstAttempt {
  let refusal: GatewayError | null = null;
  let left = admitted;
  for (let target = left.plan[0]; target !== undefined; target = left.plan[0]) {
    try {
      return { admitted: left, upstream: upstreamRequest(parts, state, left, target) };
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      refusal ??= error;
      const { name } = target;
      left = { ...left, plan: left.plan.filter((other) => other.name !== name) };
    }
  }
  throw refusal ?? new Error('a plan without a target');
}

interface LongFirstAttempt {
  readonly admitted: Admitted;
  /** Of the first target that could not be asked. */
  readonly refusal: GatewayError | null;
}

/** The same, one target after the other, with a body that may go through a thread for each. */
function prepareLong(parts: Parts, state: RequestState, { admitted, refusal }: LongFirstAttempt, done: Done): void {
  const [target] = admitted.plan;
  if (!target) {
    release(state);
    done(refusal ?? unexpected(parts, new Error('a plan without a target')));
    return;
  }
  longUpstreamRequest(parts, state, { admitted, target }, (upstream) => {
    // The client left meanwhile, or Envoy has answered it: nothing was sent anywhere.
    if (state.gone || state.finished) {
      release(state);
    } else if (upstream instanceof GatewayError && isGone(admitted)) {
      release(state);
      done(upstream);
    } else if (upstream instanceof GatewayError) {
      const plan = admitted.plan.filter((other) => other.name !== target.name);
      prepareLong(parts, state, { admitted: { ...admitted, plan }, refusal: refusal ?? upstream }, done);
    } else {
      state.admitted = admitted;
      hold(parts, state, { admitted, upstream }, done);
    }
  });
}

function hold(parts: Parts, state: RequestState, { admitted, upstream }: FirstAttempt, done: Done): void {
  state.hold = 'writing';
  parts.ledger.hold(holdEntry(state, admitted), (error) => {
    if (error) {
      state.hold = 'none';
      release(state);
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
      const reply = firstAttempt(parts, state, admitted, upstream);
      // Nothing but another attempt needs it again.
      if (admitted.plan.length === 1) dropBody(parts, state);
      done(reply);
    } catch (failure) {
      done(unexpected(parts, failure));
    }
  });
}

function holdEntry(state: RequestState, { facts, model, route, plan }: Admitted): HoldEntry {
  const entry: Writable<HoldEntry> = {
    type: 'hold',
    id: state.id,
    time: isoTime(state.arrivedAt),
    key: state.key?.id ?? '',
    labels: state.labels,
    user: state.user,
    endpoint: state.endpoint?.path ?? '',
    model,
    route,
    targets: plan.map((target) => target.name),
    stream: facts.stream,
    input_tokens: facts.inputTokensUpper,
    snapshot: state.rules.snapshot.version,
    expires: state.arrivedAt + HOLD_MS,
  };
  if (state.inputEstimate !== null) entry.input_estimate = state.inputEstimate;
  if (takesStreamOptions(facts) && !facts.includeUsage) entry.hides_usage = true;
  if (state.held) entry.limits = state.held.places;
  return entry;
}

function firstAttempt(parts: Parts, state: RequestState, admitted: Admitted, upstream: UpstreamRequest): Reply {
  openAttempt(parts, state, 1, upstream);
  state.mayTranslate = mayRewrite(parts, state, admitted.plan);
  const spare = hasSpareCredential(parts, state, upstream.target, upstream.credential);
  return {
    kind: 'continue',
    set: upstream.set.concat(retryHeaders(admitted, { spare })),
    remove: upstream.remove,
    body: unchanged(state, admitted, upstream) ? null : upstream.body,
    pass: {
      clusters: admitted.plan.map((entry) => clusterFor(parts, state, entry.provider)),
      log: {
        key: state.key?.id ?? '',
        model: admitted.model,
        endpoint: state.endpoint?.path ?? '',
        stream: admitted.facts.stream,
      },
      mayTranslate: state.mayTranslate,
    },
    interest: null,
    requestBody: null,
  };
}

/** Envoy has the client's body and its length already. */
function unchanged(state: RequestState, { body }: Admitted, upstream: UpstreamRequest): boolean {
  return upstream.body === body && (body.length === 0 || state.headers.get('content-length') !== undefined);
}

/** Envoy retries; these headers tell it how often, how long, and after which failures. */
function retryHeaders(admitted: Admitted, { spare }: { readonly spare: boolean }): HeaderPair[] {
  const { plan, retry, facts } = admitted;
  let perTry = 0;
  for (const target of plan) perTry = Math.max(perTry, clockOf(target.retry, facts.stream));
  const headers: HeaderPair[] = [
    ['x-envoy-max-retries', String(plan.length - 1)],
    ['x-envoy-upstream-rq-per-try-timeout-ms', String(perTry)],
  ];
  if (retry.totalMs > 0) headers.push(['x-envoy-upstream-rq-timeout-ms', String(retry.totalMs)]);
  if (plan.length === 1) return headers;
  const elsewhere = spare || plan.some((target) => target.name !== plan[0]?.name);
  headers.push(...retryReasons(retry.on, elsewhere));
  // A look into the first bytes is worth its price only when another target is left.
  if (elsewhere) headers.push(['x-tollgate-peek', '1']);
  return headers;
}

function clockOf(retry: Retry, stream: boolean): number {
  return stream ? (retry.firstTokenMs ?? retry.responseMs) : retry.responseMs;
}

function unexpected(parts: Parts, error: unknown): GatewayError {
  parts.report.fault('admitting a request', error);
  return new GatewayError('gateway_unavailable', 'The gateway could not handle this request.');
}

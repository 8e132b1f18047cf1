import type { ModelTarget } from '../config/snapshot.js';
import { GatewayError } from '../dialects/error.js';
import { attemptReply, type UpstreamRequest, upstreamRequest } from './attempt.js';
import { closeAttempt, openAttempt } from './attempts.js';
import { mostUseful, onlyError } from './exhausted.js';
import { isGone, isLong, longUpstreamRequest } from './long-request.js';
import type { Parts } from './parts.js';
import { waitBefore } from './plan.js';
import { refuse } from './refuse.js';
import type { Continue, Refuse } from './reply.js';
import { hasSpareCredential } from './spare-credential.js';
import type { Admitted, Failure, RequestState } from './state.js';

/** The next attempt's request, or the answer when there is to be none. */
export type NextAttempt = { readonly reply: Continue; readonly waitMs: number } | { readonly refusal: Refuse };

const REFUSALS: ReadonlySet<string> = new Set(['429', 'auth']);

/**
 * Closes the attempt before and writes attempt `number` ≥ 2; null when this request has no such attempt at this cluster.
 * `respond` is called once, in the same turn for all but long bodies.
 */
export function nextAttempt(
  parts: Parts,
  state: RequestState,
  { number, cluster }: { readonly number: number; readonly cluster: string },
  respond: (next: NextAttempt | null) => void,
): void {
  const { admitted } = state;
  if (!admitted) {
    respond(null);
    return;
  }
  const used = state.open?.credential ?? -1;
  closeAttempt(parts, state, 'error', whyFailed(parts, state));
  const target = admitted.plan[number - 1];
  // The list became shorter, or its target has said that it will not take a repeat: Envoy's retries end here.
  const refused = number > admitted.plan.length || (target && refusedBefore(parts, state, target, used));
  if (refused || isGone(admitted)) respond(giveUp(state));
  else if (!target || parts.clusterOf(target.provider) !== cluster) respond(null);
  else {
    parts.retryBudget.attempt(admitted.model, parts.clock.now());
    written(parts, state, { admitted, target }, (upstream) => {
      // The client left while its body was in a thread.
      respond(state.finished ? null : opened(parts, state, number, upstream));
    });
  }
}

function written(
  parts: Parts,
  state: RequestState,
  asked: { readonly admitted: Admitted; readonly target: ModelTarget },
  done: (result: UpstreamRequest | GatewayError) => void,
): void {
  if (isLong(asked.admitted)) {
    longUpstreamRequest(parts, state, asked, done);
    return;
  }
  let result: UpstreamRequest | GatewayError;
  try {
    result = upstreamRequest(parts, state, asked.admitted, asked.target);
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    result = error;
  }
  done(result);
}

function opened(
  parts: Parts,
  state: RequestState,
  number: number,
  upstream: UpstreamRequest | GatewayError,
): NextAttempt {
  // This target cannot be asked: the failures before it say more to the client.
  if (upstream instanceof GatewayError) return giveUp(state);
  openAttempt(parts, state, number, upstream);
  return { reply: attemptReply(upstream), waitMs: waitBefore(state.admitted?.plan ?? [], number) };
}

/** A target that is limiting or refuses our credential is not asked twice in one request, unless with another credential. */
function refusedBefore(parts: Parts, state: RequestState, target: ModelTarget, used: number): boolean {
  const { attempts } = state;
  const refused = attempts.some(({ target: name, reason }) => name === target.name && REFUSALS.has(reason ?? ''));
  return refused && !hasSpareCredential(parts, state, target, used);
}

/** Nothing came back from the running attempt, or a look at it has said why it will not do. */
function whyFailed(parts: Parts, { open: attempt, admitted }: RequestState): Failure {
  if (!attempt) return { reason: null, cooldownMs: null };
  if (attempt.failure) return attempt.failure;
  const { retry } = attempt.target;
  const stream = admitted?.facts.stream === true;
  const limit = stream ? (retry.firstTokenMs ?? retry.responseMs) : retry.responseMs;
  if (parts.clock.monotonic() - attempt.startedAt < limit) return { reason: null, cooldownMs: null };
  // Envoy's clock of one try and the look's run out together: which one was first says nothing.
  return { reason: stream && attempt.status !== null ? 'first_token' : 'timeout', cooldownMs: null };
}

/** The answer in place of an attempt that makes no sense. */
function giveUp(state: RequestState): NextAttempt {
  const error = mostUseful(state.failures) ?? onlyError(state.failures);
  state.verdict = error;
  return { refusal: refuse(error, state.errors, state.id) };
}

import { type Bounds, boundsOf } from '../accounting/estimates/bounds.js';
import { tokenFamily } from '../accounting/tokens/families.js';
import { GatewayError } from '../dialects/error.js';
import type { Covering, LimitRefusal } from '../policy/limits/limiter.js';
import type { Amounts } from '../store/counter-store.js';
import { decide, type Instead, type ScannedRequest } from './decide.js';
import type { Parts } from './parts.js';
import type { Admitted, RequestState } from './state.js';
import { RequestSubject } from './subject.js';

/** An open hold is given up after the longest time that Envoy lets a stream live, plus a minute. */
export const HOLD_MS = 61 * 60_000;

export const NOTHING_USED: Amounts = { requests: 0, input_tokens: 0, output_tokens: 0, tokens: 0, cost: 0 };

/** Tokenizers of one family differ by a few percent from the one that counts for it; so does what surrounds the text. */
const ESTIMATE_MARGIN = 1.25;
const ESTIMATE_SLACK = 16;
const COUNTED_BYTES = 16 * 1024;
/** A hold has a margin and is settled with the truth: the time of a whole count would be the largest part of a long request. */
const SAMPLE_BYTES = 1024;
/** Beside an answer that may be so many times as long, it makes no difference whether a hold knows the input or its bound. */
const OUTWEIGHS = 8;
const NONE_FOLLOWED: readonly string[] = [];

type Done = (result: Admitted | GatewayError) => void;

/**
 * Model, targets and limits of a request: routes choose the model, limits hold what it may use. A limit with `use` sends
 * the request round once more with another model. On success `state.admitted` and `state.held` are set.
 */
export function reserve(parts: Parts, state: RequestState, request: ScannedRequest, done: Done): void {
  state.asked = request.facts.model;
  if (request.facts.user !== '') state.user = request.facts.user;
  const subject = new RequestSubject(state, request.facts, () => parts.tokens.estimateInput(request));
  const { limiter, router } = state.rules;
  guarded(parts, done, () => {
    limiter.states(router.limitsNamed, subject, (known) => {
      guarded(parts, done, () => {
        // A provider's own API is asked for by its name: there is nothing to put in its place.
        const rule = state.endpoint?.direct === undefined ? router.route(known) : null;
        const instead = rule === null ? null : { model: rule.model, route: `route ${rule.name}` };
        new Reservation(parts, state, { request, subject, done }).decide(instead);
      });
    });
  });
}

/** Gives back what was held for a request that never left. */
export function release(state: RequestState): void {
  if (state.held) state.rules.limiter.settle(state.id, NOTHING_USED);
  state.held = null;
}

interface Reserving {
  readonly request: ScannedRequest;
  readonly subject: RequestSubject;
  readonly done: Done;
}

class Reservation {
  readonly #parts: Parts;
  readonly #state: RequestState;
  readonly #work: Reserving;
  /** Limits whose `use` was followed: they only count. */
  readonly #followed: string[] = [];

  constructor(parts: Parts, state: RequestState, work: Reserving) {
    this.#parts = parts;
    this.#state = state;
    this.#work = work;
  }

  decide(instead: Instead | null): void {
    const admitted = decide(this.#parts, this.#state, this.#work.request, instead);
    this.#state.rules.limiter.covering(this.#work.subject, (covering) => {
      guarded(this.#parts, this.#work.done, () => this.#hold(admitted, covering));
    });
  }

  #hold(admitted: Admitted, covering: Covering): void {
    const state = this.#state;
    if (covering.rules.length === 0) {
      this.#finish(admitted);
      return;
    }
    const most = this.#mostOf(admitted);
    if (isInputWorthCounting(admitted, covering, most)) state.inputEstimate = this.#countInput(admitted);
    const bounds = this.#bounds(most, covering);
    const hardCost = this.#isCostHard(covering);
    if (bounds.cost === null && hardCost && !admitted.allowUnpriced) throw unpriced(admitted);
    const ask = {
      id: state.id,
      subject: this.#work.subject,
      covering,
      amounts: amountsOf(bounds),
      ttlMs: HOLD_MS,
      without: this.#followed.length === 0 ? NONE_FOLLOWED : [...this.#followed],
    };
    state.rules.limiter.hold(ask, (verdict) => {
      guarded(this.#parts, this.#work.done, () => {
        if (verdict.kind === 'refused') throw refusalOf(verdict.refusal);
        if (verdict.kind === 'use' && state.endpoint?.direct !== undefined) throw usedUp(verdict.limit);
        if (verdict.kind === 'use') {
          this.#followed.push(verdict.limit);
          this.decide({ model: verdict.model, route: `limit ${verdict.limit}` });
          return;
        }
        state.held = verdict.held;
        // The client left while the store was asked: nothing was sent anywhere.
        if (state.gone || state.finished) release(state);
        else this.#finish(withCap(admitted, hardCost === covering.hardCost ? covering : { ...covering, hardCost }));
      });
    });
  }

  /** What is served instead of something dearer may be unpriced itself, if no other limit minds. */
  #isCostHard({ hardCost, rules }: Covering): boolean {
    const followed = this.#followed;
    if (!hardCost || followed.length === 0) return hardCost;
    return rules.some(
      ({ name, cost, action }) => cost !== null && action.kind !== 'shadow' && !followed.includes(name),
    );
  }

  /** In the tokens of the model that is asked first, whatever name stands for it. */
  #countInput(admitted: Admitted): number {
    const family = tokenFamily(admitted.plan[0]?.name ?? admitted.model);
    return this.#parts.tokens.estimateInput(admitted, family, SAMPLE_BYTES);
  }

  #mostOf({ body, facts, plan: targets, outputCap }: Admitted): Bounds {
    const { rules, arrivedAt: at, key } = this.#state;
    return boundsOf({ body, facts, targets, prices: rules.prices, outputCap, at, labels: key?.labels ?? {} });
  }

  /** Cost is bounded for certain; tokens by their estimate with a margin, or a small limit would let nothing through. */
  #bounds(most: Bounds, { countsTokens }: Covering): Bounds {
    const { inputEstimate: estimate } = this.#state;
    if (!countsTokens || estimate === null) return most;
    const likely = Math.ceil(estimate * ESTIMATE_MARGIN) + ESTIMATE_SLACK;
    const input = Math.min(most.input_tokens, likely);
    return { ...most, input_tokens: input, tokens: input + most.output_tokens };
  }

  #finish(admitted: Admitted): void {
    if (this.#state.gone || this.#state.finished) return;
    this.#state.admitted = admitted;
    this.#work.done(admitted);
  }
}

/** Whoever pays by limits gets better estimates after a crash; counting a long text for that would hold up the others. */
function isInputWorthCounting({ body }: Admitted, { rules, countsTokens }: Covering, most: Bounds): boolean {
  if (rules.some(({ tokens }) => tokens?.of === 'input')) return true;
  if (most.input_tokens * OUTWEIGHS <= most.output_tokens) return false;
  return countsTokens || body.length <= COUNTED_BYTES;
}

/** A cost that is not known is held as none. */
function amountsOf({ requests, input_tokens, output_tokens, tokens, cost }: Bounds): Amounts {
  return { requests, input_tokens, output_tokens, tokens, cost: cost ?? 0 };
}

/** The answer is bounded by what was held for it, whichever of several bounds the client set. */
function withCap(admitted: Admitted, covering: Covering): Admitted {
  const { maxOutputTokens: asked } = admitted.facts;
  if (covering.hardCost) return { ...admitted, askedCap: asked ?? admitted.outputCap };
  return covering.countsTokens ? { ...admitted, askedCap: asked } : admitted;
}

function refusalOf(refusal: LimitRefusal): GatewayError {
  return new GatewayError(refusal.code, refusal.message, { headers: refusal.headers });
}

function usedUp(limit: string): GatewayError {
  const message = `The limit "${limit}" is used up. It allows another model instead, which is not served under /providers.`;
  return new GatewayError('insufficient_quota', message);
}

function unpriced(admitted: Admitted): GatewayError {
  const names = [...new Set(admitted.plan.map((target) => target.name))].join(', ');
  return new GatewayError(
    'unpriced_model',
    `A cost limit covers this request, but a target of "${admitted.model}" has no known price (${names}).`,
    { param: 'model' },
  );
}

function guarded(parts: Parts, done: Done, work: () => void): void {
  try {
    work();
  } catch (error) {
    if (error instanceof GatewayError) done(error);
    else {
      parts.report.fault('admitting a request', error);
      done(new GatewayError('gateway_unavailable', 'The gateway could not handle this request.'));
    }
  }
}

import type { LimitRule } from '../../config/limit-rules.js';
import type { Counter, CounterState, CounterStore, HoldResult } from '../../store/counter-store.js';
import type { HeldLimits, LimitAsk, LimitVerdict } from './limiter.js';
import type { LocalShare } from './local-share.js';
import type { Outage } from './outage.js';
import { HeldPlaces } from './places.js';
import { rateHeaders } from './rate-headers.js';
import { refusalOf, unavailable } from './refusal.js';
import type { SeenCounters } from './seen-counters.js';
import type { Settler } from './settler.js';
import type { CompiledRule, Slot } from './slots.js';
import type { Thresholds } from './thresholds.js';

export interface HolderOptions {
  readonly compiled: readonly CompiledRule[];
  readonly store: CounterStore;
  readonly local: LocalShare | null;
  readonly settler: Settler;
  readonly outage: Outage;
  readonly seen: SeenCounters;
  readonly thresholds: Thresholds;
  readonly onShadowed: (limit: string) => void;
}

type Done = (verdict: LimitVerdict) => void;

const ENFORCED = { enforced: true };
const COUNTED = { enforced: false };
const NO_NAMES: readonly string[] = [];
const REFUSED_UNAVAILABLE: LimitVerdict = { kind: 'refused', refusal: unavailable() };

/** Holds what a request may use on all counters of its limits, and puts a refusal into words. */
export class Holder {
  readonly #options: HolderOptions;
  readonly #compiled: ReadonlyMap<LimitRule, CompiledRule>;
  readonly #places = new HeldPlaces();

  constructor(options: HolderOptions) {
    this.#options = options;
    this.#compiled = new Map(options.compiled.map((compiled) => [compiled.rule, compiled]));
  }

  hold(ask: LimitAsk, done: Done): void {
    const slots = this.#slots(ask);
    if (slots.length === 0) {
      done(held({ id: ask.id, places: {}, headers: [], shadowed: [] }));
      return;
    }
    const counters = slots.map(counterOf);
    this.#options.store.hold({ id: ask.id, counters, amounts: ask.amounts, ttlMs: ask.ttlMs }, (result) => {
      if (result.kind === 'unavailable') {
        this.#options.outage.failed();
        this.#without(ask, slots, done);
      } else {
        this.#options.outage.worked();
        done(this.#verdict(ask, slots, result));
      }
    });
  }

  #slots({ covering, subject, without }: LimitAsk): readonly Slot[] {
    let all: readonly Slot[] = [];
    for (const rule of covering.rules) {
      const { kind } = rule.action;
      const enforced = kind === 'reject' || (kind === 'use' && !without.includes(rule.name));
      const slots = this.#compiled.get(rule)?.slots(subject, enforced ? ENFORCED : COUNTED);
      if (slots !== undefined) all = all.length === 0 ? slots : all.concat(slots);
    }
    return all;
  }

  #verdict(ask: LimitAsk, slots: readonly Slot[], result: Exclude<HoldResult, { kind: 'unavailable' }>): LimitVerdict {
    const { states } = result;
    this.#options.seen.note(slots, states);
    if (result.kind === 'refused') {
      const refused = { slots, states, exceeded: result.exceeded, amounts: ask.amounts };
      this.#options.thresholds.refused(refused);
      const refusal = refusalOf(refused);
      return refusal === null ? instead(slots, result.exceeded) : { kind: 'refused', refusal };
    }
    this.#options.settler.opened(ask.id, { slots, amounts: ask.amounts });
    this.#options.thresholds.look(slots, states);
    const headers = rateHeaders(slots, states);
    return held({
      id: ask.id,
      places: this.#places.of(slots, states, ask.amounts),
      headers,
      shadowed: this.#shadowed(slots, states),
    });
  }

  /** Watching limits that this request, now held, has pushed over their bound. */
  #shadowed(slots: readonly Slot[], states: readonly CounterState[]): readonly string[] {
    let names: string[] | null = null;
    for (let index = 0; index < slots.length; index += 1) {
      const [slot, state] = [slots[index], states[index]];
      if (slot === undefined || state === undefined || slot.rule.action.kind !== 'shadow') continue;
      const { rule, counter } = slot;
      if (state.used + state.held <= counter.max || names?.includes(rule.name)) continue;
      names ??= [];
      names.push(rule.name);
      this.#options.onShadowed(rule.name);
    }
    return names ?? NO_NAMES;
  }

  /** The counters cannot be asked. Limits that only count let the request pass, hard ones refuse, others use their share. */
  #without(ask: LimitAsk, slots: readonly Slot[], done: Done): void {
    const { local, outage, settler } = this.#options;
    const enforced = slots.filter(({ counter }) => counter.enforced);
    const refuses = enforced.some(({ rule }) => rule.hard) || (enforced.length > 0 && !outage.withinAllowance);
    if (refuses || (local === null && enforced.length > 0)) {
      settler.release(ask.id);
      done(REFUSED_UNAVAILABLE);
      return;
    }
    if (local === null) {
      // Not released: should the store have made the hold, the truth is settled in it.
      done(held({ id: ask.id, places: {}, headers: [], shadowed: [] }));
      return;
    }
    local.hold(ask, slots, (result) => {
      const verdict: LimitVerdict =
        result.kind === 'held'
          ? held({ id: ask.id, places: this.#places.of(slots, result.states, ask.amounts), headers: [], shadowed: [] })
          : localRefusal(slots, result.exceeded);
      // A model to use instead is asked for again under the same id.
      if (verdict.kind !== 'use') settler.release(ask.id);
      done(verdict);
    });
  }
}

/** A share that is used up says nothing about the limit: the answer is that it is not known. */
function localRefusal(slots: readonly Slot[], exceeded: readonly number[]): LimitVerdict {
  const refuses = exceeded.length === 0 || exceeded.some((index) => slots[index]?.rule.action.kind === 'reject');
  return refuses ? REFUSED_UNAVAILABLE : instead(slots, exceeded);
}

/** The first limit, in the order of configuration, that names another model. */
function instead(slots: readonly Slot[], exceeded: readonly number[]): LimitVerdict {
  for (const index of exceeded) {
    const rule = slots[index]?.rule;
    if (rule?.action.kind === 'use') return { kind: 'use', model: rule.action.model, limit: rule.name };
  }
  return REFUSED_UNAVAILABLE;
}

function counterOf({ counter }: Slot): Counter {
  return counter;
}

function held(limits: HeldLimits): LimitVerdict {
  return { kind: 'held', held: limits };
}

import type { LimitState, Subject } from '../../config/condition.js';
import type { CounterState, CounterStore } from '../../store/counter-store.js';
import { usedOf } from './measure.js';
import type { CompiledRule, Slot } from './slots.js';

/** Also what a limit of an unknown name answers. */
const NOTHING: LimitState = { used: 0, max: 0, ratio: 0 };
const NANO = 1e9;

/**
 * Answers `limit["name"]` in conditions: the counters that this request would use are read before the condition is asked.
 * Cost is in dollars, as the configuration writes it; `used` is what alerts go by (`measure.ts`).
 */
export class LimitReader {
  readonly #rules: ReadonlyMap<string, CompiledRule>;
  readonly #store: CounterStore;

  constructor(rules: readonly CompiledRule[], store: CounterStore) {
    this.#rules = new Map(rules.map((compiled) => [compiled.rule.name, compiled]));
    this.#store = store;
  }

  /** The subject with these limits answered; all others, and all with an unreachable store, as if nothing was used. */
  read(names: readonly string[], subject: Subject, done: (known: Subject) => void): void {
    const slots = names.flatMap((name) => this.#rules.get(name)?.slots(subject, { enforced: false }) ?? []);
    if (slots.length === 0) {
      done(names.length === 0 ? subject : withLimits(subject, new Map()));
      return;
    }
    const counters = slots.map(({ counter }) => counter);
    this.#store.read(counters, (result) => {
      const states = result.kind === 'read' ? result.states : [];
      done(withLimits(subject, fullest(slots, states)));
    });
  }
}

function withLimits(subject: Subject, limits: ReadonlyMap<string, LimitState>): Subject {
  return { request: subject.request, key: subject.key, limit: (name) => limits.get(name) ?? NOTHING };
}

function fullest(slots: readonly Slot[], states: readonly CounterState[]): ReadonlyMap<string, LimitState> {
  const limits = new Map<string, LimitState>();
  slots.forEach(({ rule, counter }, index) => {
    const state = states[index];
    const unit = counter.of === 'cost' ? NANO : 1;
    const used = state === undefined ? 0 : Number(usedOf(counter, state)) / unit;
    const max = Number(counter.max) / unit;
    // A limit that allows nothing is always full.
    const ratio = max === 0 ? 1 : used / max;
    const known = limits.get(rule.name);
    if (known === undefined || ratio > known.ratio) limits.set(rule.name, { used, max, ratio });
  });
  return limits;
}

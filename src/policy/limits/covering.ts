import type { Subject } from '../../config/condition.js';
import type { LimitRule } from '../../config/limit-rules.js';
import type { LimitReader } from './limit-reader.js';
import type { Covering } from './limiter.js';
import type { RuleIndex } from './rule-index.js';
import type { CompiledRule } from './slots.js';

/** Shared by all requests that no limit covers. */
export const NOT_COVERED: Covering = Object.freeze({
  rules: Object.freeze([]),
  countsTokens: false,
  countsCost: false,
  hardCost: false,
});

/** Which limits cover a request, in the order of configuration. */
export class Coverage {
  readonly #index: RuleIndex;
  readonly #reader: LimitReader;

  constructor(index: RuleIndex, reader: LimitReader) {
    this.#index = index;
    this.#reader = reader;
  }

  find(subject: Subject, done: (covering: Covering) => void): void {
    const candidates = this.#index.candidates(subject);
    if (candidates.length === 0) {
      done(NOT_COVERED);
      return;
    }
    const names = limitsNamed(candidates);
    if (names === null) done(evaluate(candidates, subject));
    else this.#reader.read(names, subject, (known) => done(evaluate(candidates, known)));
  }
}

function limitsNamed(candidates: readonly CompiledRule[]): readonly string[] | null {
  let names: Set<string> | null = null;
  for (const { rule } of candidates) {
    if (rule.when === null || rule.when.limits.length === 0) continue;
    names ??= new Set();
    for (const name of rule.when.limits) names.add(name);
  }
  return names === null ? null : [...names];
}

function evaluate(candidates: readonly CompiledRule[], subject: Subject): Covering {
  let rules: LimitRule[] | null = null;
  for (const { rule } of candidates) {
    if (rule.when !== null && !rule.when.matches(subject)) continue;
    rules ??= [];
    rules.push(rule);
  }
  return rules === null ? NOT_COVERED : describe(rules);
}

function describe(rules: readonly LimitRule[]): Covering {
  let [countsTokens, countsCost, hardCost] = [false, false, false];
  for (const { tokens, cost, action } of rules) {
    countsTokens ||= tokens !== null;
    countsCost ||= cost !== null;
    hardCost ||= cost !== null && action.kind !== 'shadow';
  }
  return { rules, countsTokens, countsCost, hardCost };
}

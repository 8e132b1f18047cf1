import type { Subject } from '../../config/condition.js';
import { fieldReader, type ReadField } from './fields.js';
import type { CompiledRule } from './slots.js';

interface IndexedField {
  readonly read: ReadField;
  readonly rules: Map<string, CompiledRule[]>;
}

/**
 * Finds the rules that may cover a request: each rule that demands an equality lies under one of them, so a thousand limits
 * for a thousand teams cost one look-up. The answer is in the order of configuration and holds every rule that matches; a
 * rule in it may still not match.
 */
export class RuleIndex {
  readonly #fields: readonly IndexedField[];
  /** Rules without an equality: always looked at. */
  readonly #others: readonly CompiledRule[];

  constructor(rules: readonly CompiledRule[]) {
    const sharers = countSharers(rules);
    const fields = new Map<string, IndexedField>();
    const others: CompiledRule[] = [];
    for (const rule of rules) {
      const equality = rarest(rule, sharers);
      const read = equality === null ? null : fieldReader(equality[0]);
      if (equality === null || read === null) others.push(rule);
      else {
        const field = fields.get(equality[0]) ?? { read, rules: new Map<string, CompiledRule[]>() };
        fields.set(equality[0], field);
        const same = field.rules.get(equality[1]);
        if (same === undefined) field.rules.set(equality[1], [rule]);
        else same.push(rule);
      }
    }
    this.#fields = [...fields.values()];
    this.#others = others;
  }

  candidates(subject: Subject): readonly CompiledRule[] {
    let found = this.#others;
    for (const field of this.#fields) {
      // Conditions, too, read what is not there as the empty text.
      const rules = field.rules.get(field.read(subject) ?? '');
      if (rules !== undefined) found = merged(found, rules);
    }
    return found;
  }
}

/** Both in the order of configuration, as each of them is. */
function merged(some: readonly CompiledRule[], others: readonly CompiledRule[]): readonly CompiledRule[] {
  if (some.length === 0) return others;
  const all: CompiledRule[] = [];
  let next = 0;
  for (const rule of some) {
    for (let other = others[next]; other !== undefined && other.order < rule.order; other = others[next]) {
      all.push(other);
      next += 1;
    }
    all.push(rule);
  }
  return next === others.length ? all : all.concat(others.slice(next));
}

type Equality = readonly [field: string, value: string];

function usable(rule: CompiledRule): readonly Equality[] {
  return (rule.rule.when?.equalities ?? []).filter(([field]) => fieldReader(field) !== null);
}

function countSharers(rules: readonly CompiledRule[]): ReadonlyMap<string, number> {
  const sharers = new Map<string, number>();
  for (const rule of rules) {
    for (const equality of usable(rule)) {
      const name = JSON.stringify(equality);
      sharers.set(name, (sharers.get(name) ?? 0) + 1);
    }
  }
  return sharers;
}

/** The equality that the fewest rules share keeps lists short. */
function rarest(rule: CompiledRule, sharers: ReadonlyMap<string, number>): Equality | null {
  let best: Equality | null = null;
  let fewest = Number.POSITIVE_INFINITY;
  for (const equality of usable(rule)) {
    const count = sharers.get(JSON.stringify(equality)) ?? 0;
    if (count >= fewest) continue;
    best = equality;
    fewest = count;
  }
  return best;
}

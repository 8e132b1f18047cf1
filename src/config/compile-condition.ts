import { conjunctsOf, equalityMatcher, indexed } from './condition/equalities.js';
import type { Fact } from './condition/facts.js';
import { checkWritten, compileRunning, parseWritten, variableName } from './condition/language.js';
import { rewrite } from './condition/rewrite.js';
import type { Condition, Subject } from './condition.js';

const LONGEST = 4096;

/**
 * Compiles and type-checks a CEL expression over `request`, `key` and `limit`. A label, metadata entry or header that is
 * not there reads as the empty text: it equals nothing but `""`, and is unequal to everything else. The problem is
 * without the place; names of limits are not checked here.
 */
export function compileCondition(source: string): { readonly value: Condition } | { readonly problem: string } {
  try {
    return { value: compiled(source) };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : 'cannot be read' };
  }
}

function compiled(source: string): Condition {
  if (source.trim() === '') throw new Error('must be a condition, such as key.labels.team == "search"');
  if (source.length > LONGEST) throw new Error(`is longer than ${LONGEST} characters`);
  const tree = parseWritten(source);
  const { source: text, facts } = rewrite(source, tree);
  checkWritten(source);
  const conjuncts = conjunctsOf(tree);
  const matches = conjuncts.complete ? equalityMatcher(conjuncts.equalities) : celMatcher(text, facts);
  const limits = [...new Set(facts.flatMap(({ limit }) => limit ?? []))];
  return { source, limits, equalities: indexed(conjuncts), matches };
}

function celMatcher(text: string, facts: readonly Fact[]): (subject: Subject) => boolean {
  const Facts = factsClass(facts);
  const run = compileRunning(
    text,
    facts.map(({ type }) => type),
  );
  return (subject) => {
    try {
      return run(new Facts(subject)) === true;
    } catch {
      // A conversion that fails, a division by zero: no match, by contract.
      return false;
    }
  };
}

/** A class whose getters read one fact each, when CEL asks for it. */
function factsClass(facts: readonly Fact[]): new (subject: Subject) => object {
  class Facts {
    readonly subject: Subject;

    constructor(subject: Subject) {
      this.subject = subject;
    }
  }
  for (const [index, fact] of facts.entries()) {
    Object.defineProperty(Facts.prototype, variableName(index), {
      get(this: Facts) {
        return fact.read(this.subject);
      },
    });
  }
  return Facts;
}

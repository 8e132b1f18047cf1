import type { ASTNode } from '@marcbachmann/cel-js';
import type { Subject } from '../condition.js';
import type { Fact } from './facts.js';
import { literalText, placeOf } from './path.js';

/** `fact == "text"`. */
export interface Equality {
  readonly fact: Fact;
  readonly value: string;
}

export interface Conjuncts {
  /** That every match has. */
  readonly equalities: readonly Equality[];
  /** The expression is nothing but these. */
  readonly complete: boolean;
}

/** Fields that indexes of limits know. */
const INDEXED = /^(key\.id|key\.labels\..+|request\.model|request\.endpoint)$/s;

/** The equalities among the parts that `&&` joins at the top of a well-typed expression. */
export function conjunctsOf(tree: ASTNode): Conjuncts {
  const parts = partsOf(tree);
  const equalities = parts.flatMap((part) => equalityOf(part) ?? []);
  return { equalities, complete: equalities.length === parts.length };
}

/** Without the empty text: it also stands for what is missing, which an index does not have. */
export function indexed({ equalities }: Conjuncts): readonly (readonly [field: string, value: string])[] {
  const useful = equalities.filter(({ fact, value }) => value !== '' && INDEXED.test(fact.name));
  return useful.map(({ fact, value }) => [fact.name, value] as const);
}

/** Compares without CEL. */
export function equalityMatcher(equalities: readonly Equality[]): (subject: Subject) => boolean {
  const [only, ...more] = equalities;
  if (only !== undefined && more.length === 0) return (subject) => only.fact.read(subject) === only.value;
  return (subject) => equalities.every(({ fact, value }) => fact.read(subject) === value);
}

function partsOf(node: ASTNode): readonly ASTNode[] {
  return node.op === '&&' ? [...partsOf(node.args[0]), ...partsOf(node.args[1])] : [node];
}

function equalityOf(node: ASTNode): Equality | null {
  if (node.op !== '==') return null;
  const [left, right] = node.args;
  const value = literalText(right) ?? literalText(left);
  const place = placeOf(literalText(right) === null ? right : left);
  if (value === null || place === null || !('fact' in place) || place.fact.type !== 'string') return null;
  return { fact: place.fact, value };
}

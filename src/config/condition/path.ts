import type { ASTNode } from '@marcbachmann/cel-js';
import { shown } from '../problem.js';
import { didYouMean } from '../suggest.js';
import {
  type Entries,
  entryFact,
  type Fact,
  fieldsOf,
  isEntries,
  isSecretHeader,
  LIMIT_FIELDS,
  limitFact,
  plainFact,
  ROOTS,
} from './facts.js';

/** A name, or one that was selected from: `key`, `key.labels`, `key.labels["team"]`. */
export type Access = ASTNode & { readonly op: 'id' | '.' | '[]' };

/** What a path leads to: one value, or entries of which an expression names one. */
export type Place = { readonly fact: Fact } | { readonly of: Entries; readonly key: ASTNode };

export function isAccess(node: ASTNode): node is Access {
  return node.op === 'id' || node.op === '.' || node.op === '[]';
}

/** Null: not below `request`, `key` or `limit`. Throws an Error whose message is the problem. */
export function placeOf(node: ASTNode): Place | null {
  const path = pathOf(node);
  if (path === null) return null;
  if (path.root === 'limit') return { fact: limitPlace(path.steps) };
  const name = fieldName(path);
  const [, step, ...more] = path.steps;
  if (step !== undefined && (!isEntries(name) || more.length > 0)) throw new Error(`${name} has no fields`);
  if (step === undefined || !isEntries(name)) return { fact: wholeFact(name) };
  if (typeof step === 'string') return { fact: entryFact(name, usable(name, step)) };
  if (name === 'request.headers') throw new Error(HEADER_NAME);
  return { of: name, key: step };
}

/** The entries that a node stands for as a whole, such as `key.labels`. */
export function entriesOf(node: ASTNode): Entries | null {
  const path = pathOf(node);
  if (path === null || path.root === 'limit' || path.steps.length !== 1) return null;
  const name = fieldName(path);
  return isEntries(name) ? name : null;
}

/** One entry by its literal name, such as `key.labels.team`. */
export function entryOf(node: ASTNode): { readonly of: Entries; readonly name: string } | null {
  const path = pathOf(node);
  if (path === null || path.root === 'limit') return null;
  const of = fieldName(path);
  const [, name, ...more] = path.steps;
  return isEntries(of) && typeof name === 'string' && more.length === 0 ? { of, name: usable(of, name) } : null;
}

/** The name itself, unless its value must not be read. */
export function usable(of: Entries, name: string): string {
  if (of === 'request.headers' && isSecretHeader(name.toLowerCase())) {
    throw new Error(`the header ${shown(name)} carries a secret and cannot be read`);
  }
  return name;
}

/** Text that stands there literally. */
export function literalText(node: ASTNode): string | null {
  return node.op === 'value' && typeof node.args === 'string' ? node.args : null;
}

export const HEADER_NAME = 'a header needs its name in quotes, such as request.headers["x-team"]';
const LIMIT_NAME = `a limit needs its name in quotes and one of ${LIMIT_FIELDS.join(', ')}, such as limit["budget"].ratio`;

interface AccessPath {
  readonly root: string;
  /** Names that stand there, or expressions. */
  readonly steps: readonly (string | ASTNode)[];
}

function pathOf(node: ASTNode): AccessPath | null {
  if (node.op === 'id') return ROOTS.includes(node.args) ? { root: node.args, steps: [] } : null;
  if (node.op !== '.' && node.op !== '[]') return null;
  const [left, right] = node.args;
  const path = pathOf(left);
  if (path === null) return null;
  const step = typeof right === 'string' ? right : (literalText(right) ?? right);
  return { root: path.root, steps: [...path.steps, step] };
}

function fieldName({ root, steps: [field] }: AccessPath): string {
  const fields = fieldsOf(root);
  if (typeof field !== 'string') throw new Error(`${root} needs one of its fields: ${fields.join(', ')}`);
  if (fields.includes(field)) return `${root}.${field}`;
  const suggestion = didYouMean(field, fields) || `; known are ${fields.join(', ')}`;
  throw new Error(`unknown field ${shown(field)} of ${root}${suggestion}`);
}

function wholeFact(name: string): Fact {
  const fact = plainFact(name);
  if (fact === null) throw new Error(HEADER_NAME);
  return fact;
}

function limitPlace([limit, field, ...more]: AccessPath['steps']): Fact {
  if (typeof limit !== 'string' || field === undefined || more.length > 0) throw new Error(LIMIT_NAME);
  const known = LIMIT_FIELDS.find((name) => name === field);
  if (known !== undefined) return limitFact(limit, known);
  if (typeof field !== 'string') throw new Error(LIMIT_NAME);
  const suggestion = didYouMean(field, LIMIT_FIELDS) || `; known are ${LIMIT_FIELDS.join(', ')}`;
  throw new Error(`unknown field ${shown(field)} of a limit${suggestion}`);
}

import type { ASTNode } from '@marcbachmann/cel-js';
import { shown } from '../problem.js';
import { type Fact, hasEntryFact, plainFact, ROOTS } from './facts.js';
import { isOurName, variableName } from './language.js';
import { type Access, entriesOf, entryOf, HEADER_NAME, literalText, placeOf, usable } from './path.js';

/** An expression over variables, and what each of them stands for. */
export interface Rewritten {
  readonly source: string;
  /** By the number in the variable's name. */
  readonly facts: readonly Fact[];
}

/**
 * Replaces everything that an expression names by a variable of one value: only that is then read, and a missing label
 * is no error. Throws an Error whose message is the problem: unknown fields are found here, because CEL's own check
 * looks into neither maps nor `has()`.
 */
export function rewrite(source: string, tree: ASTNode): Rewritten {
  const rewriter = new Rewriter(source);
  const text = rewriter.text(tree);
  return { source: text, facts: [...rewriter.facts.values()] };
}

/** Their first parameter is the name of a variable. */
const LOOPS: ReadonlySet<string> = new Set(['all', 'exists', 'exists_one', 'map', 'filter', 'bind']);

class Rewriter {
  readonly facts = new Map<string, Fact>();
  readonly #variables = new Map<string, string>();
  readonly #source: string;

  constructor(source: string) {
    this.#source = source;
  }

  text(node: ASTNode): string {
    switch (node.op) {
      case 'value':
        return this.#source.slice(node.start, node.end);
      case 'id':
      case '.':
      case '[]':
        return this.#access(node);
      case 'call':
        return this.#call(node);
      case 'rcall':
        return this.#method(node);
      case 'list':
        return `[${this.#all(node.args)}]`;
      case 'map':
        return `{${node.args.map(([key, value]) => `${this.text(key)}: ${this.text(value)}`).join(', ')}}`;
      case '?:':
        return `(${this.text(node.args[0])} ? ${this.text(node.args[1])} : ${this.text(node.args[2])})`;
      case '!_':
        return `!(${this.text(node.args)})`;
      case '-_':
        return `-(${this.text(node.args)})`;
      case 'in':
        return this.#in(node.args);
      case '.?':
      case '[?]':
        throw new Error('optional access is not supported; what is missing reads as the empty text');
      default:
        return `(${this.text(node.args[0])} ${node.op} ${this.text(node.args[1])})`;
    }
  }

  #all(nodes: readonly ASTNode[]): string {
    return nodes.map((node) => this.text(node)).join(', ');
  }

  #access(node: Access): string {
    const place = placeOf(node);
    if (place !== null && 'fact' in place) return this.#variable(place.fact);
    if (place !== null) return `entry(${this.#whole(place.of)}, ${this.text(place.key)})`;
    if (node.op === 'id') return ourNamesRefused(node.args);
    const [left, right] = node.args;
    return typeof right === 'string' ? `${this.text(left)}.${right}` : `${this.text(left)}[${this.text(right)}]`;
  }

  #whole(name: string): string {
    const fact = plainFact(name);
    if (fact === null) throw new Error(HEADER_NAME);
    return this.#variable(fact);
  }

  #variable(fact: Fact): string {
    const known = this.#variables.get(fact.name);
    if (known !== undefined) return known;
    const name = variableName(this.facts.size);
    this.facts.set(fact.name, fact);
    this.#variables.set(fact.name, name);
    return name;
  }

  #call({ args: [name, parameters] }: ASTNode & { readonly op: 'call' }): string {
    const [of] = parameters;
    if (name !== 'has' || of === undefined) return `${ourNamesRefused(name)}(${this.#all(parameters)})`;
    const entry = entryOf(of);
    if (entry === null) throw new Error('has() is for labels, metadata and headers, such as has(key.labels.team)');
    return this.#variable(hasEntryFact(entry.of, entry.name));
  }

  #method({ args: [name, receiver, parameters] }: ASTNode & { readonly op: 'rcall' }): string {
    // JavaScript's patterns can run for minutes on a hostile header.
    if (name === 'matches') throw new Error('matches() is not supported; use startsWith, endsWith, contains, == or in');
    const [first, ...rest] = parameters;
    if (!LOOPS.has(name) || first?.op !== 'id') return `${this.text(receiver)}.${name}(${this.#all(parameters)})`;
    if (ROOTS.includes(first.args)) throw new Error(`${shown(first.args)} cannot be the name of a variable`);
    return `${this.text(receiver)}.${name}(${ourNamesRefused(first.args)}, ${this.#all(rest)})`;
  }

  #in([left, right]: readonly [ASTNode, ASTNode]): string {
    const of = entriesOf(right);
    if (of === null) return `(${this.text(left)} in ${this.text(right)})`;
    const name = literalText(left);
    if (name !== null) return this.#variable(hasEntryFact(of, usable(of, name)));
    return `(${this.text(left)} in ${this.#whole(of)})`;
  }
}

function ourNamesRefused(name: string): string {
  if (isOurName(name)) throw new Error(`unknown name ${shown(name)}`);
  return name;
}

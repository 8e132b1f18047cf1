import { type ASTNode, Environment } from '@marcbachmann/cel-js';
import { shown } from '../problem.js';
import { didYouMean } from '../suggest.js';
import { type FactType, fieldsOf, ROOTS } from './facts.js';

/** CEL as conditions use it: the declared names, the bounds on size, and the library's errors in our words. */

/** An expression is a line, not a program. */
const LIMITS = { maxAstNodes: 1000, maxDepth: 50, maxListElements: 500, maxMapEntries: 100, maxCallArguments: 16 };

class Request {}
class Key {}
class Limit {}

/** Checks types as users write the names. */
const written = withArithmetic(new Environment({ limits: LIMITS }))
  .registerType('Request', {
    ctor: Request,
    fields: {
      model: 'string',
      endpoint: 'string',
      stream: 'bool',
      headers: 'map<string, string>',
      metadata: 'map<string, string>',
      user: 'string',
      input_tokens: 'int',
      tools: 'bool',
    },
  })
  .registerType('Key', { ctor: Key, fields: { id: 'string', labels: 'map<string, string>' } })
  .registerType('Limit', { ctor: Limit, fields: { used: 'double', max: 'double', ratio: 'double' } })
  .registerVariable('request', 'Request')
  .registerVariable('key', 'Key')
  .registerVariable('limit', 'map<string, Limit>');

/** Where expressions run whose names have been replaced by variables. */
const running = withArithmetic(new Environment({ limits: { ...LIMITS, maxAstNodes: 4000 } })).registerFunction(
  'entry(map<string, string>, string): string',
  (entries: ReadonlyMap<string, string>, name: string) => entries.get(name) ?? '',
);

/** Without these `limit["x"].used * 2` and `limit["x"].ratio == 1` would need `2.0` and `1.0`. */
function withArithmetic(environment: Environment): Environment {
  const operators: Readonly<Record<string, (left: number, right: number) => number>> = {
    '+': (left, right) => left + right,
    '-': (left, right) => left - right,
    '*': (left, right) => left * right,
    '/': (left, right) => left / right,
  };
  for (const [operator, apply] of Object.entries(operators)) {
    const handler = (left: number | bigint, right: number | bigint) => apply(Number(left), Number(right));
    environment.registerOperator(`double ${operator} int: double`, handler);
    environment.registerOperator(`int ${operator} double: double`, handler);
  }
  // Holds for both orders, and for `!=`.
  return environment.registerOperator('double == int: bool', (left, right) => Number(left) === Number(right));
}

const VARIABLE = 'fact_';

/** Names of our own in running expressions; a written one must not use them. */
export function isOurName(name: string): boolean {
  return name.startsWith(VARIABLE) || name === 'entry';
}

export function variableName(index: number): string {
  return `${VARIABLE}${index}`;
}

/** Parses an expression as it is written; an Error whose message is the problem. */
export function parseWritten(source: string): ASTNode {
  return explained(source, () => written.parse(source)).ast;
}

/** Checks that a written expression is well typed and is true or false. */
export function checkWritten(source: string): void {
  const { valid, type, error } = written.check(source);
  if (!valid) throw error === undefined ? new Error('is not valid') : explain(source, error);
  if (type !== 'bool') throw new Error(`must be true or false, but is of type ${type}`);
}

/** An expression over variables, ready to run with an object that has them. */
export function compileRunning(source: string, types: readonly FactType[]): (variables: object) => unknown {
  const environment = running.clone();
  for (const [index, type] of types.entries()) environment.registerVariable(variableName(index), type);
  const parsed = environment.parse(source);
  const { valid, error } = parsed.check();
  if (!valid) throw error ?? new Error('is not valid');
  return parsed;
}

function explained<T>(source: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw explain(source, error);
  }
}

interface CelError {
  readonly code: string;
  readonly summary: string;
  readonly range?: { readonly start: number; readonly end: number };
}

function explain(source: string, error: unknown): Error {
  if (!(error instanceof Error) || !('summary' in error)) return new Error('cannot be read');
  const { code, summary, range } = error as Error & CelError;
  const excerpt = range === undefined ? '' : source.slice(range.start, range.end);
  if (code === 'unknown_variable') return new Error(`unknown name ${shown(excerpt)}${meantName(excerpt)}`);
  const place = /^(=|)$/.test(excerpt) || excerpt === source ? '' : ` in ${shown(excerpt)}`;
  return new Error(`${said(summary, range?.start)}${place}`);
}

/** `model` alone is most likely `request.model`. */
function meantName(name: string): string {
  const places = ROOTS.flatMap((root) => (fieldsOf(root).includes(name) ? [`${root}.${name}`] : []));
  return places[0] === undefined ? didYouMean(name, ROOTS) : `; did you mean "${places[0]}"?`;
}

function said(summary: string, start: number | undefined): string {
  if (/EOF/.test(summary)) return 'ends too early';
  if (/^Unexpected character: =$/.test(summary)) return 'values are compared with ==';
  const mismatch = /^no such overload: (.*)$/.exec(summary);
  if (mismatch !== null) return `types do not fit: ${mismatch[1]}`;
  const position =
    start === undefined || !/^(Unexpected|Unterminated|Expected)/.test(summary) ? '' : ` at character ${start + 1}`;
  return `${summary.charAt(0).toLowerCase()}${summary.slice(1)}${position}`;
}

import { Lexer } from 'yaml';
import type { Mistake } from './problem.js';

const DEEPEST_BRACKETS = 32;
const DEEPEST_DASHES = 32;
/** What the lexer puts between the pieces of the source; not part of it. */
const MARKERS: ReadonlySet<string> = new Set(['\x02', '\x18', '\x1f']);

/**
 * The place where brackets, or dashes on one line, are nested too deeply, or null. Looked for before parsing: the
 * parser's time grows with the square of the depth, so that a page of `[` would stop the process for minutes.
 */
export function deepNesting(text: string): Mistake | null {
  let offset = 0;
  let brackets = 0;
  let dashes = 0;
  for (const token of new Lexer().lex(text)) {
    if (MARKERS.has(token)) continue;
    if (token === '[' || token === '{') brackets++;
    if (token === ']' || token === '}') brackets--;
    if (token === '-') dashes++;
    if (token.includes('\n')) dashes = 0;
    if (brackets > DEEPEST_BRACKETS || dashes > DEEPEST_DASHES) {
      return { path: [], at: 'value', message: 'nested too deeply', offset };
    }
    offset += token.length;
  }
  return null;
}

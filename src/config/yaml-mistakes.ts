import type { YAMLError } from 'yaml';
import type { Mistake } from './problem.js';

/**
 * Own words for the parser's errors. Its texts are not passed on: some quote the source, and what stands
 * at the wrong place may be a secret.
 */
const MESSAGES: Readonly<Record<string, string>> = {
  ALIAS_PROPS: 'an alias (*name) cannot have a tag or an anchor; put text that begins with * in quotes',
  BAD_ALIAS: 'not a usable alias; put text that begins with * in quotes',
  BAD_DIRECTIVE: 'not a usable directive; put text that begins with % in quotes',
  BAD_DQ_ESCAPE: 'not a usable escape in a double-quoted text; use single quotes to keep backslashes',
  BAD_INDENT: 'wrong indentation, or a bracket that is not closed',
  BAD_PROP_ORDER: 'an anchor or a tag stands at the wrong place; put text that begins with & or ! in quotes',
  BAD_SCALAR_START: 'text that begins with this character must be in quotes',
  BLOCK_AS_IMPLICIT_KEY: 'a second "key: value" on the same line; put text that contains ": " in quotes',
  BLOCK_IN_FLOW: 'a block of lines inside { } or [ ]',
  IMPOSSIBLE: 'not readable as YAML',
  KEY_OVER_1024_CHARS: 'a key of more than 1,024 characters',
  MISSING_CHAR: 'a quote, bracket, comma, colon or space is missing',
  MULTILINE_IMPLICIT_KEY: 'a key must be on one line and be followed by ":"',
  MULTIPLE_ANCHORS: 'two anchors on one value; put text that begins with & in quotes',
  MULTIPLE_DOCS: 'a second document begins here (---); one file holds one configuration',
  MULTIPLE_TAGS: 'two tags on one value; put text that begins with ! in quotes',
  NON_STRING_KEY: 'a key must be text',
  RESOURCE_EXHAUSTION: 'nested too deeply',
  TAB_AS_INDENT: 'a tab is used as indentation; use spaces',
  TAG_RESOLVE_FAILED: 'YAML tags are not supported; put text that begins with ! in quotes',
  UNEXPECTED_TOKEN: 'something that does not belong here',
};

/** After the first twenty more do not help anybody. */
const MOST = 20;

/** What is wrong with the text as YAML, in reading order: the first mistake of each line, the others follow from it. */
export function yamlMistakes(text: string, errors: readonly YAMLError[]): readonly Mistake[] {
  const byLine = new Map<number, Mistake>();
  for (const error of [...errors].sort((left, right) => left.pos[0] - right.pos[0])) {
    const offset = Math.max(0, Math.min(error.pos[0], text.length));
    const line = text.lastIndexOf('\n', offset - 1);
    const message = `${messageOf(error, text, offset)}${hint(text, offset)}`;
    if (!byLine.has(line)) byLine.set(line, { path: [], at: 'key', message, offset });
  }
  return [...byLine.values()].slice(0, MOST);
}

function messageOf(error: YAMLError, text: string, offset: number): string {
  // The parser takes a list item behind the entries of a map for a key.
  const isItem = error.code === 'BLOCK_AS_IMPLICIT_KEY' && /^ *- /.test(text.slice(text.lastIndexOf('\n', offset) + 1));
  if (isItem) return 'a list item ("- ") behind "key: value" lines; use one form or the other';
  return MESSAGES[error.code] ?? 'not readable as YAML';
}

function hint(text: string, offset: number): string {
  const start = text.lastIndexOf('\n', Math.max(0, offset - 1)) + 1;
  const end = text.indexOf('\n', offset);
  const line = text.slice(start, end < 0 ? undefined : end);
  const bare = /[{[,].*[:,[{]\s*\$\{/.test(line);
  return bare ? `; inside { } and [ ] a \${VARIABLE} must be in quotes` : '';
}

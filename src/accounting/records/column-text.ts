import { hash } from 'node:crypto';

/** An indexed value of Postgres may have 2,704 bytes; this many UTF-16 units have at most 900. */
const LONGEST = 300;
const KEPT = 250;

/**
 * Text that every database takes as a column: no NUL, no lone surrogates, and bounded. What is too long keeps its beginning and
 * ends with a digest, so that different values stay different. The ledger's entry, kept beside it, has the whole text.
 */
export function columnText(text: string): string {
  const clean = text.includes('\0') ? text.replaceAll('\0', '\u{fffd}') : text;
  if (clean.length <= LONGEST) return clean.toWellFormed();
  return `${clean.slice(0, KEPT).toWellFormed()}…${hash('sha256', text, 'base64url').slice(0, 22)}`;
}

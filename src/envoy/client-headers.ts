import { CLIENT_HEADERS } from './names.js';
import { type EnvoyConfig, extension } from './typed-config.js';

const PREFIX = 'x-tollgate-';

/**
 * Removes what only Envoy or the service may say, before request id, route and filters look at the headers:
 * `x-envoy-*`, the client's `x-request-id`, and all of ours but those that clients may send.
 */
export function clientHeaderRemoval(): EnvoyConfig {
  const suffixes = CLIENT_HEADERS.map((header) => header.slice(PREFIX.length));
  return extension(
    'envoy.http.early_header_mutation.header_mutation',
    'extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation',
    {
      mutations: [
        { remove: 'x-request-id' },
        { remove_on_match: { key_matcher: { prefix: 'x-envoy-' } } },
        // With `^`, RE2 compares the prefix first and is done with nearly every header.
        { remove_on_match: { key_matcher: { safe_regex: { regex: `^${PREFIX}${anythingBut(suffixes)}` } } } },
      ],
    },
  );
}

/** Any rest of a header name. Names are ASCII, which keeps RE2's program below Envoy's limit of 100. */
const REST = '[!-~]*';

/**
 * A regular expression for every rest of a header name except these words. Envoy's RE2 has no look-ahead, so the words
 * are spelled out: leave the path at any letter, stop early, or go on after the end. Words: lower-case letters and hyphens.
 */
export function anythingBut(words: readonly string[]): string {
  const isWord = words.includes('');
  const longer = words.filter((word) => word !== '');
  if (longer.length === 0) return isWord ? `[!-~]${REST}` : REST;
  const letters = [...new Set(longer.map((word) => word.charAt(0)))].sort();
  const onPath = letters.map(
    (letter) => letter + anythingBut(longer.filter((word) => word.startsWith(letter)).map((word) => word.slice(1))),
  );
  return `(?:${otherThan(letters)}${REST}|${onPath.join('|')})${isWord ? '' : '?'}`;
}

/** A class of the printable ASCII characters without these letters. */
function otherThan(letters: readonly string[]): string {
  const shift = (letter: string, by: number) => String.fromCharCode(letter.charCodeAt(0) + by);
  const starts = ['!', ...letters.map((letter) => shift(letter, 1))];
  const ends = [...letters.map((letter) => shift(letter, -1)), '~'];
  const ranges = starts.map((start, index) => ({ start, end: ends[index] ?? '~' }));
  return `[${ranges
    .filter(({ start, end }) => start <= end)
    .map(({ start, end }) => `${start}-${end}`)
    .join('')}]`;
}

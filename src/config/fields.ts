import { z } from 'zod';
import { parseAddress } from './address.js';
import { decimalOf, parseDecimal } from './decimal.js';
import { formatDuration, parseDuration, parseShare, parseSize } from './quantity.js';
import type { Address } from './snapshot.js';

/**
 * The kinds of values that settings have. Each takes what YAML gives, or the text that a `${VAR}` stood for, and gives
 * the parsed value. `format` names the kind in the reference and in the JSON Schema.
 */

type Parsed<T> = { readonly value: T } | { readonly problem: string };

/** Parses text, or a number as it stands there. The problem of the empty text is also that of a list or a map. */
export function parsedText<T>(parse: (text: string) => Parsed<T>) {
  const problemOf = (result: Parsed<T>) => ('problem' in result ? result.problem : 'must be text');
  const error = (issue: { input?: unknown }) => (issue.input === undefined ? 'is required' : problemOf(parse('')));
  return z.preprocess(
    (value) => (typeof value === 'number' ? String(value) : value),
    z.string({ error }).transform((text, context) => {
      const result = parse(text);
      if ('value' in result) return result.value;
      context.issues.push({ code: 'custom', message: result.problem, input: text });
      return z.NEVER;
    }),
  );
}

/** `wanted` completes "must be …"; `parse` gives null for text that is not that. */
function parsed<T>(wanted: string, parse: (text: string) => T | null) {
  return parsedText<T>((text) => {
    const value = parse(text);
    return value === null ? { problem: `must be ${wanted}` } : { value };
  });
}

export function duration(most?: { readonly atLeast: number }) {
  const parse = (text: string) => {
    const milliseconds = parseDuration(text);
    return milliseconds !== null && milliseconds >= (most?.atLeast ?? 0) ? milliseconds : null;
  };
  const bound = most === undefined ? '' : `, at least ${most.atLeast}ms`;
  return parsed<number>(`a duration with its unit, such as 100ms, 10s, 5m or 1h${bound}`, parse).meta({
    format: 'time-span',
  });
}

/** Decimal digits exactly as meant, as canonical text: see `decimal.ts`. `parse` may refuse some of them. */
export function decimal<T = string>(wanted: string, parse: (decimal: string) => T | null) {
  const message = `must be ${wanted}; in quotes when it has more than 15 digits`;
  return z
    .preprocess(
      (value) => (typeof value === 'number' ? (decimalOf(value) ?? value) : value),
      z
        .string({ error: (issue) => (issue.input === undefined ? 'is required' : message) })
        .transform((text, context) => {
          const canonical = parseDecimal(text);
          const value = canonical === null ? null : parse(canonical);
          if (value !== null) return value;
          context.issues.push({ code: 'custom', message, input: text });
          return z.NEVER;
        }),
    )
    .meta({ format: 'decimal' });
}

/** A duration, or `off`. */
export function durationOrOff(least: { readonly atLeast: number }) {
  const parse = (text: string): number | 'off' | null => {
    if (text === 'off') return text;
    const milliseconds = parseDuration(text);
    return milliseconds !== null && milliseconds >= least.atLeast ? milliseconds : null;
  };
  return parsed(
    `a duration with its unit, such as 10s or 1m, at least ${formatDuration(least.atLeast)}; or off`,
    parse,
  ).meta({ format: 'time-span-or-off' });
}

/** A share of the requests, or `off`: `20%` is 0.2. */
export function share() {
  const parse = (text: string): number | 'off' | null => (text === 'off' ? text : parseShare(text));
  return parsed('a percentage from 0% to 1000%, such as 20%, or off', parse).meta({ format: 'share-or-off' });
}

export function size() {
  const parse = (text: string) => {
    const bytes = parseSize(text);
    return bytes !== null && bytes >= 1024 && bytes <= 1024 ** 3 ? bytes : null;
  };
  return parsed<number>('a size from 1KiB to 1GiB, such as 512KiB or 32MiB', parse).meta({ format: 'size' });
}

export function address() {
  const wanted = 'an address such as 127.0.0.1:8080, :8080 (every interface) or 127.0.0.1:0 (a free port)';
  return parsed<Address>(wanted, parseAddress).meta({ format: 'address' });
}

/** A moment: `2027-01-01` is 00:00 UTC of that day. Epoch milliseconds. */
export function moment() {
  return parsed<number>('a date such as 2027-01-01, or a time such as 2027-01-01T12:00:00Z', parseMoment).meta({
    format: 'moment',
  });
}

function parseMoment(text: string): number | null {
  const match = /^(\d{4}-\d{2}-\d{2})(T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2}))?$/.exec(text);
  if (match === null) return null;
  const time = Date.parse(text);
  // Date.parse rolls 2027-02-30 over to March: such a day does not exist.
  const day = Date.parse(match[1] ?? '');
  return Number.isNaN(time) || Number.isNaN(day) || new Date(day).toISOString().slice(0, 10) !== match[1] ? null : time;
}

export function baseUrl() {
  return parsedText<string>(parseBaseUrl).meta({ format: 'url' });
}

/** Where something of the operator's own listens, with any path and query. Its text may hold a secret. */
export function webUrl() {
  const parse = (text: string) => {
    const isUrl = /^https?:\/\/[^/]/.test(text) && URL.canParse(text);
    return isUrl && new URL(text).username === '' && new URL(text).password === '' ? text : null;
  };
  const wanted = 'a URL that begins with http:// or https://, without user and password';
  return parsed<string>(wanted, parse).meta({ format: 'url' });
}

/** What follows `base_url` in the paths of the vendors: often copied along from a manual. */
const OPERATION = /\/(chat\/completions|completions|messages|responses|embeddings)\/?$/;

function parseBaseUrl(text: string): Parsed<string> {
  if (!/^https?:\/\/[^/]/.test(text) || !URL.canParse(text)) {
    return { problem: 'must be a URL that begins with http:// or https://, such as https://api.example.com/v1' };
  }
  const url = new URL(text);
  if (url.search !== '' || url.hash !== '') return { problem: 'must be a URL without "?" and "#"' };
  if (url.username !== '' || url.password !== '') {
    return { problem: 'must be a URL without user and password; put the credential into "credentials"' };
  }
  const operation = OPERATION.exec(url.pathname)?.[1];
  if (operation !== undefined) return { problem: `must end before "/${operation}"` };
  return { value: url.href.replace(/\/+$/, '') };
}

export function timeZone() {
  const parse = (text: string) => {
    try {
      return new Intl.DateTimeFormat('en', { timeZone: text }).resolvedOptions().timeZone;
    } catch {
      return null;
    }
  };
  return parsed<string>('the name of a time zone, such as UTC or Europe/Berlin', parse).meta({ format: 'time-zone' });
}

/** A path; made absolute later, against the directory of the file. */
export function filePath() {
  const parse = (text: string) => (text === '' || text.includes('\0') ? null : text.replace(/^file:/, ''));
  return parsed<string>('a path', parse).meta({ format: 'path' });
}

/** Text that matches; `wanted` completes "must be …". Not for secrets shorter than their rule: see `secret`. */
export function text(wanted = 'text', pattern = /^[^\p{Cc}]+$/u) {
  return z
    .string({ error: (issue) => (issue.input === undefined ? 'is required' : `must be ${wanted}; put it in quotes`) })
    .regex(pattern, `must be ${wanted}`);
}

/** A credential: any printable ASCII without spaces at its ends, because it travels in a header. May be empty. */
export function secret() {
  const pattern = /^([\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?)?$/;
  return text('a secret of printable ASCII characters', pattern).meta({ format: 'secret' });
}

export function integer(bounds: { readonly min: number; readonly max: number }) {
  const error = `must be a whole number from ${bounds.min} to ${bounds.max}`;
  return z.preprocess(numberOf, z.number({ error }).int(error).min(bounds.min, error).max(bounds.max, error));
}

/** A number of dollars, or a weight: not negative, finite. */
export function amount() {
  const error = (issue: { input?: unknown }) =>
    issue.input === undefined ? 'is required' : 'must be a number, 0 or more';
  return z.preprocess(numberOf, z.number({ error }).min(0, { error }));
}

export function flag() {
  return z.preprocess(
    (value) => (value === 'true' ? true : value === 'false' ? false : value),
    z.boolean({ error: 'must be true or false' }),
  );
}

/** A group of settings. A setting without a value (`listen:` and nothing behind it) counts as not there. */
export function struct<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  const error = (issue: z.core.$ZodRawIssue) =>
    issue.code === 'invalid_type'
      ? issue.input === undefined
        ? 'is required'
        : `must be a map of settings (${Object.keys(shape).join(', ')})`
      : undefined;
  return z.preprocess(withoutNulls, z.strictObject(shape, { error }));
}

/** A map from names that the user chooses. */
export function named<Name extends z.core.$ZodRecordKey, Value extends z.core.SomeType>(name: Name, value: Value) {
  const error = (issue: z.core.$ZodRawIssue) =>
    issue.code === 'invalid_type' ? 'must be a map, with one line "name:" for each' : undefined;
  return z.record(name, value, { error });
}

/** `example` is shown to who writes something else than a list. */
export function list<Value extends z.core.SomeType>(value: Value, example?: string) {
  return z.array(value, {
    error: example === undefined ? 'must be a list, with "- " before each item' : `must be a list, such as ${example}`,
  });
}

function withoutNulls(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== null));
}

function numberOf(value: unknown): unknown {
  return typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : value;
}

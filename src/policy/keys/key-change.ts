import { z } from 'zod';
import { duration, moment } from '../../config/fields.js';
import { parseDuration } from '../../config/quantity.js';
import { KeyError } from './key-error.js';

/** What an issued key may do and who it belongs to. */
export interface KeyFields {
  readonly labels: Readonly<Record<string, string>>;
  /** Globs; null = all. */
  readonly models: readonly string[] | null;
  readonly endpoints: readonly string[] | null;
  /** Epoch milliseconds; null = never. */
  readonly expires: number | null;
  readonly metadata: Readonly<Record<string, string>>;
}

export type KeyChange =
  | { readonly action: 'create'; readonly fields: KeyFields }
  /** Replaces the fields that are given. */
  | { readonly action: 'patch'; readonly id: string; readonly fields: Partial<KeyFields> }
  /** A new secret; those before it stay valid for `graceMs`. */
  | { readonly action: 'rotate'; readonly id: string; readonly graceMs: number }
  /** At once and for good; running requests finish. */
  | { readonly action: 'revoke'; readonly id: string };

const MOST_GRACE = '720h';
const DEFAULT_GRACE = '1h';

/** A check by expression with words for a person. */
function fits(pattern: RegExp, longest: number, what: string) {
  return z
    .string(`must be ${what}`)
    .max(longest, `must have at most ${longest} characters`)
    .regex(pattern, `must be ${what}`);
}

const PRINTABLE = /^[^\p{Cc}]*$/u;
const name = fits(/^[A-Za-z_][\w.-]*$/, 64, 'a name of letters, digits, dots, dashes or underscores');
const glob = fits(/^[^\s\p{Cc}]+$/u, 256, 'a model name or a pattern without spaces');
const path = fits(/^\/(v1|v1beta|providers)\/[^\s?#]*$/, 256, 'a path such as /v1/embeddings or /v1/audio/*');
const grace = duration().refine(
  (milliseconds) => milliseconds <= Number(parseDuration(MOST_GRACE)),
  `must be at most ${MOST_GRACE}`,
);

function map(longest: number) {
  return z
    .record(name, fits(PRINTABLE, longest, 'text without control characters'), 'must be an object of texts')
    .refine((value) => Object.keys(value).length <= 32, 'must have at most 32 names');
}

function list(item: z.ZodType<string>) {
  return z
    .array(item, 'must be a list')
    .min(1, 'must have an entry; null means all')
    .max(100, 'must have at most 100 entries');
}

const fields = z.strictObject({
  labels: map(256),
  models: list(glob).nullable(),
  endpoints: list(path).nullable(),
  expires: moment().nullable(),
  metadata: map(1024),
});
const NO_FIELDS: KeyFields = { labels: {}, models: null, endpoints: null, expires: null, metadata: {} };

const BODIES = {
  create: fields.partial(),
  patch: fields.partial().refine((value) => Object.keys(value).length > 0, 'must name a field to change'),
  rotate: z.strictObject({ grace: grace.prefault(DEFAULT_GRACE) }),
  revoke: z.strictObject({}),
};

/** JSON Schemas of the bodies, for the OpenAPI document. */
export function keyBodySchema(action: KeyChange['action']): object {
  const { $schema: _, ...schema } = z.toJSONSchema(BODIES[action], { io: 'input', unrepresentable: 'any' });
  return schema;
}

/**
 * The change that somebody asks for in JSON: `{ labels, models, endpoints, expires, metadata }` to create or patch,
 * `{ grace }` to rotate, `{}` to revoke. Throws a `KeyError` of code `invalid` that names the first wrong field.
 */
export function readKeyChange(action: KeyChange['action'], id: string, body: unknown): KeyChange {
  switch (action) {
    case 'create':
      return { action, fields: { ...NO_FIELDS, ...given(parse(BODIES.create, body)) } };
    case 'patch':
      return { action, id, fields: given(parse(BODIES.patch, body)) };
    case 'rotate':
      return { action, id, graceMs: parse(BODIES.rotate, body).grace };
    case 'revoke':
      parse(BODIES.revoke, body);
      return { action, id };
  }
}

function parse<Output>(schema: z.ZodType<Output>, body: unknown): Output {
  refusePrototypes(body);
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const param = issue === undefined ? null : paramOf(issue);
  const where = param === null ? '' : `${param}: `;
  throw new KeyError('invalid', `${where}${messageOf(issue)}.`, param);
}

/** A map drops this name without a word. */
function refusePrototypes(body: unknown): void {
  if (typeof body !== 'object' || body === null) return;
  for (const [field, value] of Object.entries(body)) {
    if (typeof value === 'object' && value !== null && Object.hasOwn(value, '__proto__'))
      throw new KeyError('invalid', `${field}: __proto__ may not be a name.`, field);
  }
}

function paramOf(issue: z.core.$ZodIssue): string | null {
  const parts = issue.code === 'unrecognized_keys' ? [...issue.path, ...issue.keys.slice(0, 1)] : issue.path;
  return parts.length === 0 ? null : parts.map(String).join('.').slice(0, 120);
}

function messageOf(issue: z.core.$ZodIssue | undefined): string {
  if (issue === undefined) return 'cannot be read';
  if (issue.code === 'unrecognized_keys') return 'is not a known field';
  // A wrong name in a map: what is wrong with it is told inside.
  if (issue.code === 'invalid_key') return issue.issues[0]?.message ?? issue.message;
  return issue.code === 'invalid_type' && issue.path.length === 0 ? 'The body must be a JSON object' : issue.message;
}

/** Without the fields that were not given. */
function given<Fields extends object>(value: Fields): { [Name in keyof Fields]?: Exclude<Fields[Name], undefined> } {
  const entries = Object.entries(value).filter(([, field]) => field !== undefined);
  return Object.fromEntries(entries) as { [Name in keyof Fields]?: Exclude<Fields[Name], undefined> };
}

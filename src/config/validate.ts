import type { z } from 'zod';
import { elsewhere, inModels, inOurWords, knownHere, settingsAt } from './known-settings.js';
import { isSettingNotYet, namesNotYet } from './not-yet.js';
import { type Mistake, type Path, shown } from './problem.js';
import { configSchema, type ValidConfig } from './schema.js';
import { didYouMean } from './suggest.js';

type Issue = z.core.$ZodIssue;

/** Checks the shape: `valid` is null when there is any mistake. Cross references are `crossCheck`'s. */
export function validate(raw: unknown): { readonly valid: ValidConfig | null; readonly mistakes: readonly Mistake[] } {
  const result = configSchema.safeParse(raw);
  if (result.success) return { valid: result.data, mistakes: [] };
  return { valid: null, mistakes: result.error.issues.flatMap((issue) => mistakesOf(issue, [], raw)) };
}

function mistakesOf(issue: Issue, parent: Path, raw: unknown): readonly Mistake[] {
  const path = [...parent, ...issue.path.map((part) => (typeof part === 'number' ? part : String(part)))];
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey([...path, key]));
  if (issue.code === 'invalid_union') return unionMistakes(issue, path, raw);
  if (issue.code === 'invalid_key') {
    return [{ path, at: 'key', message: issue.issues[0]?.message ?? 'not usable as a name' }];
  }
  if (issue.code === 'invalid_value') return [wrongValue(issue.values.map(String), path, raw)];
  return [{ path, at: 'value', message: issue.message }];
}

function unknownKey(path: Path): Mistake {
  const key = String(path.at(-1));
  if (isSettingNotYet(path)) return { path, at: 'key', message: 'not yet supported' };
  const parent = path.slice(0, -1);
  const known = [...settingsAt(parent), ...namesNotYet(parent)];
  // At the top a clock is most likely meant for all models: other sections that have one are no better guess.
  const nearby = path.length === 1 ? inModels(path) || elsewhere(path) : elsewhere(path);
  const suggestion = inOurWords(path) || nearby || didYouMean(key, known) || inModels(path) || knownHere(parent);
  return { path, at: 'key', message: `unknown key ${shown(key)}${suggestion}` };
}

function wrongValue(values: readonly string[], path: Path, raw: unknown): Mistake {
  const value = valueAt(raw, path);
  return { path, at: 'value', message: `must be ${values.join(' or ')}${suggestionFor(value, values)}` };
}

/** Only text can be mistyped. */
function suggestionFor(value: unknown, values: readonly string[]): string {
  return typeof value === 'string' ? didYouMean(value, values) : '';
}

/** Of several readings, the one that got furthest says what is wrong: it agrees at least on text, list or map. */
function unionMistakes(issue: z.core.$ZodIssueInvalidUnion, path: Path, raw: unknown): readonly Mistake[] {
  const value = valueAt(raw, path);
  const meant = issue.errors.filter(
    (issues) => !issues.some((issue) => issue.code === 'invalid_type' && issue.path.length === 0),
  );
  const best = meant.sort((left, right) => left.length - right.length)[0];
  const [only] = best ?? [];
  // One word of several, or something else: the union alone knows all of them.
  if (only?.code === 'invalid_value' && only.path.length === 0 && issue.message !== 'Invalid input')
    return [{ path, at: 'value', message: `${issue.message}${suggestionFor(value, only.values.map(String))}` }];
  if (best !== undefined) return best.flatMap((issue) => mistakesOf(issue, path, raw));
  const message = value === undefined || value === null ? 'is required' : issue.message;
  return [{ path, at: 'value', message }];
}

function valueAt(raw: unknown, path: Path): unknown {
  let value = raw;
  for (const part of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<string | number, unknown>)[part];
  }
  return value;
}

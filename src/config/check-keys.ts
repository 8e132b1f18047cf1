import { createHash } from 'node:crypto';
import { type Mistake, type Path, shown } from './problem.js';
import { entriesOf, has, itemsOf, textOf } from './raw-view.js';
import { didYouMean, unknownProvider } from './suggest.js';

/** Keys against each other, and against the models and providers that they name. */
export function keyMistakes(raw: unknown, providers: readonly string[]): readonly Mistake[] {
  const ids = new Map<string, number>();
  const digests = new Map<string, number>();
  const models = entriesOf(raw, 'models').map(([name]) => name);
  return itemsOf(raw, 'keys').flatMap((key, index) => {
    const path = ['keys', index];
    return [
      ...secretMistakes(key, path),
      ...repeated(ids, textOf(key, 'id'), { path: [...path, 'id'], what: 'id' }),
      ...repeated(digests, digestOf(key), { path: [...path, has(key, 'secret') ? 'secret' : 'hash'], what: 'secret' }),
      ...globMistakes(key, path, { models, providers }),
    ];
  });
}

function secretMistakes(key: unknown, path: Path): readonly Mistake[] {
  const secret = has(key, 'secret');
  if (typeof key !== 'object' || key === null || secret !== has(key, 'hash')) return [];
  const message = secret ? 'has both "secret" and "hash"; give one of them' : 'needs a "secret" or a "hash"';
  return [{ path, at: 'key', message }];
}

function repeated(
  seen: Map<string, number>,
  value: string | null,
  at: { path: Path; what: string },
): readonly Mistake[] {
  const index = Number(at.path[1]);
  const first = value === null ? undefined : seen.get(value);
  if (value !== null && first === undefined) seen.set(value, index);
  if (first === undefined) return [];
  return [{ path: at.path, at: 'value', message: `has the same ${at.what} as keys[${first}]` }];
}

/** Lower-case hex of the key's secret, whichever way it is given; null when there is none. */
function digestOf(key: unknown): string | null {
  const secret = textOf(key, 'secret');
  if (secret !== null) return sha256(secret);
  return (
    textOf(key, 'hash')
      ?.replace(/^sha256:/, '')
      .toLowerCase() ?? null
  );
}

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Patterns in the `models` of a key or of an issuer of keys. */
export function globMistakes(
  owner: unknown,
  path: Path,
  { models, providers }: { readonly models: readonly string[]; readonly providers: readonly string[] },
): readonly Mistake[] {
  return itemsOf(owner, 'models').flatMap((glob, place): readonly Mistake[] => {
    const message = typeof glob === 'string' ? globMistake(glob, models, providers) : null;
    return message === null ? [] : [{ path: [...path, 'models', place], at: 'value', message }];
  });
}

/** A pattern that cannot match anything is a typing mistake. */
function globMistake(glob: string, models: readonly string[], providers: readonly string[]): string | null {
  const slash = glob.indexOf('/');
  const star = glob.indexOf('*');
  if (star >= 0 && (slash < 0 || star < slash)) return null;
  if (models.some((name) => (star < 0 ? name === glob : name.startsWith(glob.slice(0, star))))) return null;
  if (slash < 0) return `unknown model ${shown(glob)}${didYouMean(glob, models)}`;
  const provider = glob.slice(0, slash);
  return providers.includes(provider) ? null : unknownProvider(provider, providers);
}

import { compileCondition } from './compile-condition.js';
import { parseWindow } from './limit-window.js';
import { parsePartition } from './partition.js';
import { type Mistake, type Path, shown } from './problem.js';
import { entriesOf, fieldOf, has, itemsOf, textOf } from './raw-view.js';
import { didYouMean, unknownProvider } from './suggest.js';

const BOUNDS = ['requests', 'tokens', 'cost', 'concurrent'];

/** Limits and routes against each other, and against the models and providers that they name. */
export function limitMistakes(raw: unknown, providers: readonly string[]): readonly Mistake[] {
  const limits = itemsOf(raw, 'limits');
  const names = limits.map((limit) => textOf(limit, 'name'));
  const known = names.filter((name) => name !== null);
  return [
    ...limits.flatMap((limit, index) => {
      const path = ['limits', index];
      return [
        ...repeatedName(names, index),
        ...boundMistakes(limit, path),
        ...partitionMistakes(limit, path),
        ...unknownLimits(limit, path, known),
        ...modelMistakes(raw, textOf(fieldOf(limit, 'action'), 'use'), { path: [...path, 'action', 'use'], providers }),
      ];
    }),
    ...ringMistakes(limits),
    ...itemsOf(raw, 'routes').flatMap((route, index, routes) => {
      const path = ['routes', index];
      return [
        ...unreachable(route, path, routes.length - 1),
        ...unknownLimits(route, path, known),
        ...modelMistakes(raw, textOf(route, 'model'), { path: [...path, 'model'], providers }),
      ];
    }),
  ];
}

function repeatedName(names: readonly (string | null)[], index: number): readonly Mistake[] {
  const first = names.indexOf(names[index] ?? null);
  if (names[index] === null || first === index) return [];
  return [{ path: ['limits', index, 'name'], at: 'value', message: `has the same name as limits[${first}]` }];
}

function boundMistakes(limit: unknown, path: Path): readonly Mistake[] {
  if (typeof limit !== 'object' || limit === null || Array.isArray(limit)) return [];
  const mistakes: Mistake[] = [];
  if (!BOUNDS.some((bound) => has(limit, bound))) {
    mistakes.push({ path, at: 'key', message: `needs at least one of ${BOUNDS.join(', ')}` });
  }
  for (const name of BOUNDS) {
    const bound = fieldOf(limit, name);
    const window = parseWindow(textOf(bound, 'window') ?? '');
    if (String(fieldOf(bound, 'sliding')) !== 'true' || 'problem' in window || window.value.kind === 'duration')
      continue;
    const message = 'needs a window that is a duration, such as 24h';
    mistakes.push({ path: [...path, name, 'sliding'], at: 'value', message });
  }
  return mistakes;
}

function partitionMistakes(limit: unknown, path: Path): readonly Mistake[] {
  const seen = new Set<string>();
  return itemsOf(limit, 'per').flatMap((item, index): readonly Mistake[] => {
    const field = typeof item === 'string' ? parsePartition(item) : null;
    if (field === null || 'problem' in field) return [];
    const key = JSON.stringify(field.value);
    if (seen.has(key)) return [{ path: [...path, 'per', index], at: 'value', message: 'is already in the list' }];
    seen.add(key);
    return [];
  });
}

/** Limits that the condition of a rule names; none where it is no condition, which is reported elsewhere. */
function limitsNamed(rule: unknown): readonly string[] {
  const when = textOf(rule, 'when');
  // Compiling is not for nothing: most conditions name no limit.
  const compiled = when?.includes('limit') === true ? compileCondition(when) : null;
  return compiled !== null && 'value' in compiled ? compiled.value.limits : [];
}

function unknownLimits(rule: unknown, path: Path, known: readonly string[]): readonly Mistake[] {
  const unknown = limitsNamed(rule).filter((name) => !known.includes(name));
  return unknown.map((name) => {
    return { path: [...path, 'when'], at: 'value', message: `unknown limit ${shown(name)}${didYouMean(name, known)}` };
  });
}

/** The state of a limit that depends on itself could not be told. */
function ringMistakes(limits: readonly unknown[]): readonly Mistake[] {
  const named = new Map<string, readonly string[]>();
  for (const limit of limits) {
    const name = textOf(limit, 'name') ?? '';
    named.set(name, [...(named.get(name) ?? []), ...limitsNamed(limit)]);
  }
  return limits.flatMap((limit, index): readonly Mistake[] => {
    const name = textOf(limit, 'name');
    const ring = name === null ? null : wayBack(name, named);
    if (ring === null) return [];
    const through = ring.length === 0 ? '' : ` through ${ring.map(shown).join(', ')}`;
    return [{ path: ['limits', index, 'when'], at: 'value', message: `depends on its own limit${through}` }];
  });
}

/** The names on the shortest way from a name back to itself; null when there is none. */
function wayBack(start: string, named: ReadonlyMap<string, readonly string[]>): readonly string[] | null {
  const seen = new Set<string>();
  let ways: readonly (readonly string[])[] = [[]];
  while (ways.length > 0) {
    const next: (readonly string[])[] = [];
    for (const way of ways) {
      for (const name of named.get(way.at(-1) ?? start) ?? []) {
        if (name === start) return way;
        if (seen.has(name)) continue;
        seen.add(name);
        next.push([...way, name]);
      }
    }
    ways = next;
  }
  return null;
}

function unreachable(route: unknown, path: Path, last: number): readonly Mistake[] {
  if (path[1] === last || has(route, 'when') || typeof route !== 'object' || route === null) return [];
  const message = 'has no "when", so that the routes after it are never reached';
  return [{ path, at: 'key', message }];
}

function modelMistakes(
  raw: unknown,
  name: string | null,
  { path, providers }: { readonly path: Path; readonly providers: readonly string[] },
): readonly Mistake[] {
  const models = entriesOf(raw, 'models').map(([model]) => model);
  if (name === null || models.includes(name)) return [];
  const slash = name.indexOf('/');
  const provider = name.slice(0, Math.max(0, slash));
  if (slash < 1 || slash === name.length - 1) {
    return [{ path, at: 'value', message: `unknown model ${shown(name)}${didYouMean(name, models)}` }];
  }
  if (!providers.includes(provider)) return [{ path, at: 'value', message: unknownProvider(provider, providers) }];
  if (String(fieldOf(fieldOf(raw, 'gateway'), 'models_only')) !== 'true') return [];
  return [{ path, at: 'value', message: `${shown(name)} is not under "models", and gateway.models_only is on` }];
}

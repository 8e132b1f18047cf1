import { globMistakes } from './check-keys.js';
import { type Mistake, type Path, shown } from './problem.js';
import { entriesOf, fieldOf, has, itemsOf, textOf } from './raw-view.js';

/** Meters that answer nobody without a token. */
const NEEDS_TOKEN: ReadonlySet<string> = new Set(['lago', 'stripe']);

/** Store, records, exporters and issuers of keys, each against itself; issuers also against models and providers. */
export function serviceMistakes(raw: unknown, providers: readonly string[]): readonly Mistake[] {
  return [...storeMistakes(raw), ...recordsMistakes(raw), ...exporterMistakes(raw), ...issuerMistakes(raw, providers)];
}

function storeMistakes(raw: unknown): readonly Mistake[] {
  const store = fieldOf(raw, 'store');
  if (textOf(store, 'kind') === 'redis') {
    return has(store, 'url') ? [] : [{ path: ['store', 'url'], at: 'key', message: 'is required for kind redis' }];
  }
  if (has(store, 'kind') && textOf(store, 'kind') !== 'memory') return [];
  const useless = ['url', 'cluster', 'prefix', 'timeout'].filter((name) => has(store, name));
  return useless.map((name) => {
    return { path: ['store', name], at: 'key', message: 'has no effect here; add "kind: redis" to the store' };
  });
}

function recordsMistakes(raw: unknown): readonly Mistake[] {
  const records = fieldOf(raw, 'records');
  if (textOf(records, 'kind') !== 'postgres' || has(records, 'url')) return [];
  return [{ path: ['records', 'url'], at: 'key', message: 'is required for kind postgres' }];
}

function exporterMistakes(raw: unknown): readonly Mistake[] {
  return entriesOf(raw, 'exporters').flatMap(([name, exporter]): readonly Mistake[] => {
    const kind = textOf(exporter, 'kind') ?? '';
    if (!NEEDS_TOKEN.has(kind) || has(exporter, 'secret')) return [];
    return [{ path: ['exporters', name, 'secret'], at: 'key', message: `is required for kind ${kind}` }];
  });
}

function issuerMistakes(raw: unknown, providers: readonly string[]): readonly Mistake[] {
  const auth = fieldOf(raw, 'auth');
  const isList = Array.isArray(fieldOf(auth, 'jwt'));
  const issuers = isList ? itemsOf(auth, 'jwt') : [fieldOf(auth, 'jwt')];
  const models = entriesOf(raw, 'models').map(([name]) => name);
  const names = issuers.map((issuer) => textOf(issuer, 'issuer'));
  return issuers.flatMap((issuer, index): readonly Mistake[] => {
    const path: Path = ['auth', 'jwt', ...(isList ? [index] : [])];
    const first = names.indexOf(names[index] ?? null);
    const message = `is the same issuer as auth.jwt[${first}]; ${shown('audience')} takes a list`;
    const repeated: readonly Mistake[] =
      names[index] === null || first === index ? [] : [{ path: [...path, 'issuer'], at: 'value', message }];
    return [...repeated, ...globMistakes(issuer, path, { models, providers })];
  });
}

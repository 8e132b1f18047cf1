import { keyMistakes } from './check-keys.js';
import { limitMistakes } from './check-limits.js';
import { listenerMistakes } from './check-listeners.js';
import { modelMistakes } from './check-models.js';
import { moneyMistakes } from './check-money.js';
import { serviceMistakes } from './check-services.js';
import { isValueNotYet } from './not-yet.js';
import { type Mistake, type Path, shown } from './problem.js';
import { entriesOf, fieldOf, has, itemsOf, textOf } from './raw-view.js';
import { didYouMean } from './suggest.js';

/** What the configuration has to know about a provider kind. `ProviderKind` of `providers/` fits. */
export interface KnownKind {
  readonly kind: string;
  /** null = `base_url` must be given. */
  readonly baseUrl: string | null;
  /** Variables that may hold the credential; empty = needs none. */
  readonly environment: readonly string[];
  /** null = a credential cannot be sent at all. */
  readonly credential: object | null;
}

export type KnownKinds = ReadonlyMap<string, KnownKind>;

/**
 * Everything that one setting must know of another. Works on the raw values, so that a mistake of shape in one place
 * hides no mistake in another.
 */
export function crossCheck(raw: unknown, kinds: KnownKinds): readonly Mistake[] {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) return [];
  const providers = entriesOf(raw, 'providers').map(([name]) => name);
  return [
    ...providerMistakes(raw, kinds),
    ...modelMistakes(raw, providers),
    ...keyMistakes(raw, providers),
    ...limitMistakes(raw, providers),
    ...moneyMistakes(raw),
    ...serviceMistakes(raw, providers),
    ...listenerMistakes(raw),
  ];
}

function providerMistakes(raw: unknown, kinds: KnownKinds): readonly Mistake[] {
  const providers = entriesOf(raw, 'providers');
  if (providers.length === 0) {
    // What is there but no map has been reported as such.
    const given = fieldOf(raw, 'providers') ?? {};
    if (typeof given !== 'object' || Array.isArray(given)) return [];
    return [{ path: ['providers'], at: 'key', message: 'no provider is configured; add at least one' }];
  }
  return providers.flatMap(([name, provider]) => {
    const path = ['providers', name];
    const kind = textOf(provider, 'kind');
    const weights = weightMistakes(itemsOf(provider, 'credentials'), [...path, 'credentials']);
    if (kind === null) return weights;
    const known = kinds.get(kind);
    return [
      ...weights,
      ...(known === undefined ? [unknownKind(kind, path, kinds)] : accountMistakes(provider, path, known)),
    ];
  });
}

function unknownKind(kind: string, provider: Path, kinds: KnownKinds): Mistake {
  const path = [...provider, 'kind'];
  if (isValueNotYet(path, kind))
    return { path, at: 'value', message: `provider kind ${shown(kind)} is not yet supported` };
  const names = [...kinds.keys()];
  const suggestion = didYouMean(kind, names) || `; known are ${names.join(', ')}`;
  return { path, at: 'value', message: `unknown provider kind ${shown(kind)}${suggestion}` };
}

function accountMistakes(provider: unknown, path: Path, kind: KnownKind): readonly Mistake[] {
  const mistakes: Mistake[] = [];
  const add = (setting: string, message: string) => mistakes.push({ path: [...path, setting], at: 'key', message });
  if (kind.baseUrl === null && !has(provider, 'base_url'))
    add('base_url', `is required: kind ${kind.kind} has no default`);
  const [variable] = kind.environment;
  // Behind another base_url than the vendor's may be a server that wants no credential.
  const isElsewhere = kind.baseUrl !== null && has(provider, 'base_url');
  if (variable !== undefined && !has(provider, 'credentials') && !isElsewhere) {
    add('credentials', `is required for kind ${kind.kind}, for example "\${${variable}}"`);
  }
  if (kind.credential === null && has(provider, 'credentials'))
    add('credentials', `kind ${kind.kind} takes no credential`);
  for (const [name] of entriesOf(provider, 'headers')) {
    if (!FORBIDDEN_HEADER.test(name)) continue;
    mistakes.push({ path: [...path, 'headers', name], at: 'key', message: 'this header is set by the gateway' });
  }
  return mistakes;
}

/** Framing and hop-by-hop headers, credentials, and what Envoy and we use between ourselves. */
const FORBIDDEN_HEADER =
  /^(authorization|api-key|x-api-key|x-goog-api-key|host|connection|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade|content-length|content-type|content-encoding|x-envoy-.*|x-tollgate-.*|x-request-id)$/i;

function weightMistakes(items: readonly unknown[], path: Path): readonly Mistake[] {
  const weights = items.map((item) => String(fieldOf(item, 'weight') ?? 1));
  const unequal = weights.findIndex((weight) => Number(weight) !== Number(weights[0]));
  if (unequal < 0) return [];
  const at = has(items[unequal], 'weight') ? [...path, unequal, 'weight'] : [...path, 0, 'weight'];
  return [{ path: at, at: 'value', message: 'unequal weights of credentials are not yet supported' }];
}

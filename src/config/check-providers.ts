import { baseUrlMistakes } from './check-base-url.js';
import { credentialMistakes } from './check-credentials.js';
import type { PlaceSetting } from './credential-source.js';
import type { Environment, KnownKind, KnownKinds } from './known-kind.js';
import { PLACE, PLACE_VARIABLES, placeOf } from './place.js';
import { type Mistake, type Path, shown } from './problem.js';
import { entriesOf, fieldOf, has, textOf } from './raw-view.js';
import { didYouMean } from './suggest.js';

/** What is wrong with accounts as a whole: their kinds, and what a kind needs or does not take. */
export function providerMistakes(raw: unknown, kinds: KnownKinds, env: Environment): readonly Mistake[] {
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
    if (kind === null) return [];
    const known = kinds.get(kind);
    if (known === undefined) return [unknownKind(kind, path, kinds)];
    return [
      ...accountMistakes(provider, path, known),
      ...baseUrlMistakes(provider, path, known),
      ...placeMistakes(provider, path, { kind: known, env }),
      ...credentialMistakes(provider, [...path, 'credentials'], known),
      ...headerMistakes(provider, path),
    ];
  });
}

function unknownKind(kind: string, provider: Path, kinds: KnownKinds): Mistake {
  const names = [...kinds.keys()];
  const also = (OTHER_NAMES[kind.toLowerCase()] ?? []).filter((name) => kinds.has(name));
  const meant = also.length === 0 ? didYouMean(kind, names) : `; did you mean ${also.map(shown).join(' or ')}?`;
  const suggestion = meant || `; known are ${names.join(', ')}`;
  return {
    path: [...provider, 'kind'],
    at: 'value',
    message: `unknown provider kind ${shown(kind)}${suggestion}`,
  };
}

/** What people call the kinds when they do not look them up, and is not spelt alike. */
const OTHER_NAMES: Readonly<Record<string, readonly string[]>> = Object.assign(Object.create(null), {
  claude: ['anthropic'],
  google: ['gemini', 'vertex'],
  'google-ai-studio': ['gemini'],
  aws: ['bedrock'],
  amazon: ['bedrock'],
  kimi: ['moonshot'],
  glm: ['zhipu'],
  zai: ['zhipu'],
  dashscope: ['qwen'],
  alibaba: ['qwen'],
  grok: ['xai'],
  nim: ['nvidia'],
  hf: ['huggingface'],
  lmstudio: ['openai-compatible'],
  litellm: ['openai-compatible'],
});

function accountMistakes(provider: unknown, path: Path, kind: KnownKind): readonly Mistake[] {
  const mistakes: Mistake[] = [];
  const add = (setting: string, message: string) => mistakes.push({ path: [...path, setting], at: 'key', message });
  if (kind.baseUrl === null && !has(provider, 'base_url'))
    add('base_url', `is required: kind ${kind.kind} has no default`);
  const example = exampleCredential(kind);
  // Behind another base_url than the vendor's may be a server that wants no credential.
  const isElsewhere = kind.baseUrl !== null && has(provider, 'base_url');
  const isBrought = textOf(provider, 'bring_your_own') === 'required';
  if (example !== null && !has(provider, 'credentials') && !isElsewhere && !isBrought) {
    add('credentials', `is required for kind ${kind.kind}, for example ${example}`);
  }
  const takesNone = kind.credential === null && kind.identity === undefined;
  if (takesNone && has(provider, 'credentials')) add('credentials', `kind ${kind.kind} takes no credential`);
  if (kind.credential === null && has(provider, 'bring_your_own') && textOf(provider, 'bring_your_own') !== 'off') {
    add('bring_your_own', `kind ${kind.kind} takes no key`);
  }
  return mistakes;
}

/** null = the kind needs none. */
function exampleCredential({ environment: [variable], identity }: KnownKind): string | null {
  if (variable === undefined) return identity === undefined ? null : '{ source: default }';
  return identity === 'aws' ? `"\${${variable}}" or { source: default }` : `"\${${variable}}"`;
}

const PLACES: readonly PlaceSetting[] = ['region', 'project', 'location'];

/** What is needed must be there, in a form that can stand in a host name; what is not needed would be ignored. */
function placeMistakes(
  provider: unknown,
  path: Path,
  { kind, env }: { readonly kind: KnownKind; readonly env: Environment },
): readonly Mistake[] {
  return PLACES.flatMap((setting): readonly Mistake[] => {
    const at = { path: [...path, setting], at: 'key' } as const;
    if (kind.needs?.includes(setting) !== true) {
      return has(provider, setting) ? [{ ...at, message: `kind ${kind.kind} has no ${setting}` }] : [];
    }
    // A value that could not be resolved has been reported.
    if (has(provider, setting) && textOf(provider, setting) === null) return [];
    const place = placeOf(provider, setting, env);
    const [variable] = PLACE_VARIABLES[setting];
    if (place === null) return [{ ...at, message: `is required for kind ${kind.kind}; or set ${variable}` }];
    if (place.variable === null || PLACE.test(place.value)) return [];
    return [{ ...at, message: `${place.variable} is no ${setting}` }];
  });
}

function headerMistakes(provider: unknown, path: Path): readonly Mistake[] {
  return entriesOf(provider, 'headers')
    .filter(([name]) => FORBIDDEN_HEADER.test(name))
    .map(([name]) => ({
      path: [...path, 'headers', name],
      at: 'key',
      message: 'this header is set by the gateway',
    }));
}

/** Framing and hop-by-hop headers, credentials, and what Envoy and we use between ourselves. */
const FORBIDDEN_HEADER =
  /^(authorization|api-key|x-api-key|x-goog-api-key|x-amz-.*|host|connection|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade|content-length|content-type|content-encoding|x-envoy-.*|x-tollgate-.*|x-request-id)$/i;

import { compile } from './compile.js';
import { crossCheck } from './cross-check.js';
import type { KnownKind } from './known-kind.js';
import type { LoadContext } from './load.js';
import { PLACE_VARIABLES, placeOf } from './place.js';
import { type Mistake, type Problem, pathText } from './problem.js';
import type { Snapshot } from './snapshot.js';
import { validate } from './validate.js';

export interface DefaultContext extends LoadContext {
  /** Data and run-time files go below it: `data/`, `run/`. */
  readonly directory: string;
  /** Base URL of the running mock provider, or null to do without it. */
  readonly mockBaseUrl: string | null;
  /** The key that was made on the first run and is kept in the data directory, or null. */
  readonly firstKey: string | null;
}

/** What the banner says about one kind: found or not set. */
export interface FoundProvider {
  readonly kind: string;
  /** The variable that held the credential, or the one to set. */
  readonly variable: string;
  readonly found: boolean;
}

export interface DefaultConfig {
  readonly snapshot: Snapshot;
  readonly providers: readonly FoundProvider[];
}

/** Dollars per million tokens: round numbers, so that a reader can check `tollgate usage` in the head. */
const MOCK_PRICE = { input: 1, output: 2 } as const;

/**
 * The configuration without a config file: the mock, each kind whose credential is in the environment, one key.
 * Problems only when the environment holds something unusable, such as a credential with a line break.
 */
export function defaultConfig(context: DefaultContext): DefaultConfig | { readonly problems: readonly Problem[] } {
  const providers = findProviders(context);
  const raw = rawDefault(context, providers);
  const { valid, mistakes } = validate(raw);
  const all = [...mistakes, ...crossCheck(raw, context.kinds, context.env)];
  if (valid === null || all.length > 0) return { problems: all.map(builtIn) };
  const origin = { path: null, directory: context.directory, env: context.env };
  return { snapshot: compile(valid, origin, context.kinds), providers };
}

/** Only kinds that variables alone can switch on: a key and, where the kind needs one, a place. */
function findProviders(context: DefaultContext): readonly FoundProvider[] {
  return [...context.kinds.values()].flatMap((kind): readonly FoundProvider[] => {
    const [first] = kind.environment;
    if (kind.baseUrl === null || first === undefined) return [];
    const variable = kind.environment.find((name) => isSet(context.env[name]));
    if (variable === undefined) return [{ kind: kind.kind, variable: first, found: false }];
    const missing = kind.needs?.find((setting) => placeOf({}, setting, context.env) === null);
    if (missing === undefined) return [{ kind: kind.kind, variable, found: true }];
    return [{ kind: kind.kind, variable: PLACE_VARIABLES[missing][0] ?? variable, found: false }];
  });
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value.trim() !== '';
}

function rawDefault(context: DefaultContext, providers: readonly FoundProvider[]): unknown {
  const { mockBaseUrl, firstKey, env } = context;
  const found = providers.filter((provider) => provider.found);
  const accounts = found.map(({ kind, variable }) => [kind, { kind, credentials: env[variable]?.trim() }]);
  const mock = mockBaseUrl === null ? {} : { mock: { kind: mockKind(context.kinds), base_url: mockBaseUrl } };
  return {
    admin: { token: env['TOLLGATE_ADMIN_TOKEN'] ?? '' },
    providers: { ...Object.fromEntries(accounts), ...mock },
    keys: firstKey === null ? [] : [{ id: 'first', secret: firstKey, labels: { team: 'local' } }],
    prices: [{ model: 'mock/*', ...MOCK_PRICE }],
  };
}

function mockKind(kinds: ReadonlyMap<string, KnownKind>): string {
  return kinds.has('mock') ? 'mock' : 'openai-compatible';
}

function builtIn(mistake: Mistake): Problem {
  return { file: '(built-in)', line: 1, column: 1, path: pathText(mistake.path), message: mistake.message };
}

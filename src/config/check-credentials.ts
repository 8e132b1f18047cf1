import type { CloudIdentity } from './credential-source.js';
import { isGoogleJson } from './google-json.js';
import type { KnownKind } from './known-kind.js';
import type { Mistake, Path } from './problem.js';
import { fieldOf, has, textOf } from './raw-view.js';

/** What stands in one map. */
interface Form {
  /** For messages: `AWS keys`. */
  readonly title: string;
  readonly needs: readonly string[];
  readonly may: readonly string[];
  /** null = every kind with a key takes it. */
  readonly identity: CloudIdentity | null;
}

const form = (title: string, identity: CloudIdentity | null, needs: readonly string[], may: readonly string[] = []) => {
  return { title, identity, needs, may };
};

/** The first whose field is there is meant. */
const FORMS: readonly Form[] = [
  form('a key', null, ['secret']),
  form('AWS keys', 'aws', ['access_key_id', 'secret_access_key'], ['session_token']),
  form('an AWS profile', 'aws', ['profile']),
  form('a Microsoft Entra application', 'azure', ['tenant_id', 'client_id', 'client_secret'], ['scope']),
];

/** By cloud and `source`: what else may stand beside it. */
const SOURCES: Readonly<Record<CloudIdentity, Readonly<Record<string, readonly string[]>>>> = {
  aws: { default: [], container: [], instance: [], web_identity: [] },
  azure: { managed_identity: ['client_id', 'scope'], workload_identity: ['tenant_id', 'client_id', 'scope'] },
  google: { default: [], metadata: [] },
};

/** Which fields of a credential go together, and whether this kind takes it. */
export function credentialMistakes(provider: unknown, path: Path, kind: KnownKind): readonly Mistake[] {
  const given = fieldOf(provider, 'credentials');
  if (kind.credential === null && kind.identity === undefined) return [];
  if (!Array.isArray(given)) return oneMistakes(given, path, kind);
  return given.flatMap((item, index) => oneMistakes(item, [...path, index], kind));
}

function oneMistakes(credential: unknown, path: Path, kind: KnownKind): readonly Mistake[] {
  if (typeof credential === 'string') {
    if (!isGoogleJson(credential) || kind.identity === 'google') return [];
    return [{ path, at: 'value', message: `kind ${kind.kind} takes no Google account` }];
  }
  if (typeof credential !== 'object' || credential === null || Array.isArray(credential)) return [];
  const meant = formOf(credential, kind);
  if (meant === null) return sourceless(credential, path, kind);
  const { title, needs, may, identity } = meant;
  if (identity !== null && identity !== kind.identity) {
    return [{ path, at: 'value', message: `kind ${kind.kind} does not take ${title}; ${taken(kind)}` }];
  }
  const missing = needs.filter((name) => !has(credential, name));
  const foreign = Object.keys(credential).filter((name) => {
    return FIELDS.has(name) && has(credential, name) && !needs.includes(name) && !may.includes(name);
  });
  return [
    ...missing.map((name): Mistake => ({ path: [...path, name], at: 'key', message: `is required for ${title}` })),
    ...foreign.map((name): Mistake => ({ path: [...path, name], at: 'key', message: `does not belong to ${title}` })),
  ];
}

/** Every field but the weight, which goes with all. */
const FIELDS: ReadonlySet<string> = new Set(['source', ...FORMS.flatMap(({ needs, may }) => [...needs, ...may])]);

function formOf(credential: object, kind: KnownKind): Form | null {
  if (!has(credential, 'source')) {
    return FORMS.find(({ needs, may }) => [...needs, ...may].some((name) => has(credential, name))) ?? null;
  }
  const source = textOf(credential, 'source') ?? '';
  const known = kind.identity === undefined ? {} : SOURCES[kind.identity];
  const may = Object.hasOwn(known, source) ? known[source] : undefined;
  return may === undefined ? null : form(`source ${source}`, kind.identity ?? null, ['source'], may);
}

/** A map that says nothing, or a source that this kind does not have. Unknown names have been reported already. */
function sourceless(credential: object, path: Path, kind: KnownKind): readonly Mistake[] {
  if (!has(credential, 'source')) {
    const isUnknown = Object.keys(credential).some(
      (name) => name !== 'weight' && !FIELDS.has(name) && has(credential, name),
    );
    return isUnknown ? [] : [{ path, at: 'value', message: `says nothing; ${taken(kind)}` }];
  }
  const source = textOf(credential, 'source');
  const isSource = Object.values(SOURCES).some((known) => source !== null && Object.hasOwn(known, source));
  if (!isSource) return [];
  return [
    { path: [...path, 'source'], at: 'value', message: `kind ${kind.kind} has no source ${source}; ${taken(kind)}` },
  ];
}

/** What this kind takes, for messages. */
function taken({ kind, identity, credential }: KnownKind): string {
  const forms = FORMS.filter((known) => (known.identity === null ? credential !== null : known.identity === identity));
  const maps = forms.map(({ needs }) => `{ ${needs.join(', ')} }`);
  const sources = identity === undefined ? [] : [`{ source: ${Object.keys(SOURCES[identity]).join(' | ')} }`];
  const json = identity === 'google' ? ['the JSON of a Google account'] : [];
  return `${kind} takes ${[...maps, ...sources, ...json].join(', ')}`;
}

import { Secret } from '../observability/secret.js';
import type { CloudIdentity, Credential, CredentialSource } from './credential-source.js';
import { isGoogleJson } from './google-json.js';
import type { Environment, KnownKind, KnownKinds } from './known-kind.js';
import { placeOf, usualBaseUrl } from './place.js';
import type { ValidCredential, ValidProvider } from './provider-schema.js';
import type { ProviderAccount } from './snapshot.js';

/** What tokens of Entra are for, unless the configuration says otherwise. */
export const ENTRA_SCOPE = 'https://cognitiveservices.azure.com/.default';

export function compileProviders(
  providers: Readonly<Record<string, ValidProvider>>,
  kinds: KnownKinds,
  env: Environment,
): ReadonlyMap<string, ProviderAccount> {
  return new Map(
    Object.entries(providers).map(([name, provider]) => {
      const kind = kinds.get(provider.kind);
      if (kind === undefined) throw new Error('compile needs a checked configuration');
      return [name, accountOf(name, provider, { kind, env })];
    }),
  );
}

function accountOf(
  name: string,
  provider: ValidProvider,
  { kind, env }: { readonly kind: KnownKind; readonly env: Environment },
): ProviderAccount {
  const baseUrl = provider.base_url ?? usualBaseUrl(kind, provider, env);
  if (baseUrl === null) throw new Error('compile needs a checked configuration');
  const headers = Object.entries(provider.headers).map(([header, value]) => [header.toLowerCase(), value]);
  const places = (kind.needs ?? []).map((setting) => [setting, placeOf(provider, setting, env)?.value ?? null]);
  return {
    name,
    kind: provider.kind,
    baseUrl: baseUrl.replace(/\/+$/, ''),
    credentials: credentialsOf(provider.credentials, kind.identity),
    headers: Object.fromEntries(headers),
    apiVersion: provider.api_version ?? null,
    probeMs: provider.probe === 'off' ? null : provider.probe,
    ...Object.fromEntries(places),
    bringYourOwn: provider.bring_your_own,
    storedObjects: provider.stored_objects,
  };
}

function credentialsOf(
  credentials: ValidProvider['credentials'],
  identity: CloudIdentity | undefined,
): readonly Credential[] {
  const list = Array.isArray(credentials) ? credentials : credentials === undefined ? [] : [credentials];
  return list.map((item) => {
    if (typeof item !== 'string') return fromMap(item, identity);
    const source: { source?: CredentialSource } = isGoogleJson(item) ? { source: { kind: 'google-json' } } : {};
    return { secret: new Secret(item), weight: 1, ...source };
  });
}

const NO_SECRET = '';

function fromMap(map: ValidCredential, identity: CloudIdentity | undefined): Credential {
  const { weight } = map;
  if (map.secret !== undefined) return { secret: new Secret(map.secret), weight };
  const source = sourceOf(map, identity);
  return { secret: new Secret(map.secret_access_key ?? map.client_secret ?? NO_SECRET), weight, source };
}

/** The fields have been checked to belong together and to the kind. */
function sourceOf(map: ValidCredential, identity: CloudIdentity | undefined): CredentialSource {
  const { source, scope = ENTRA_SCOPE, tenant_id: tenantId = null, client_id: clientId = null } = map;
  if (map.access_key_id !== undefined) {
    const sessionToken = map.session_token === undefined ? null : new Secret(map.session_token);
    return { kind: 'aws-keys', accessKeyId: map.access_key_id, sessionToken };
  }
  if (map.profile !== undefined) return { kind: 'aws-profile', profile: map.profile };
  if (source === 'managed_identity' || source === 'workload_identity') {
    return { kind: 'entra-ambient', from: source, tenantId, clientId, scope };
  }
  if (source === 'metadata') return { kind: 'google-ambient', from: source };
  if (source === 'default' && identity === 'google') return { kind: 'google-ambient', from: source };
  if (source !== undefined) return { kind: 'aws-ambient', from: source };
  if (tenantId !== null && clientId !== null) return { kind: 'entra-secret', tenantId, clientId, scope };
  throw new Error('compile needs a checked configuration');
}

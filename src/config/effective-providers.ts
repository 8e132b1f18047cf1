import { ENTRA_SCOPE } from './compile-providers.js';
import type { Credential, CredentialSource } from './credential-source.js';
import { optional } from './effective-rules.js';
import { formatDuration } from './quantity.js';
import type { ProviderAccount } from './snapshot.js';

/** A header whose name sounds like this may carry a credential. */
const SECRET_HEADER = /auth|key|token|secret|cookie|password|credential/i;

/** One provider as the configuration would write it, secrets masked. */
export function accountText(account: ProviderAccount): unknown {
  const headers = Object.entries(account.headers).map(([name, value]) => [
    name,
    SECRET_HEADER.test(name) ? '[secret]' : value,
  ]);
  return {
    kind: account.kind,
    base_url: account.baseUrl,
    ...(account.credentials.length === 0 ? {} : { credentials: credentialTexts(account) }),
    ...optional('region', account.region ?? null),
    ...optional('project', account.project ?? null),
    ...optional('location', account.location ?? null),
    ...(headers.length === 0 ? {} : { headers: Object.fromEntries(headers) }),
    ...optional('api_version', account.apiVersion),
    ...(account.bringYourOwn === undefined || account.bringYourOwn === 'off'
      ? {}
      : { bring_your_own: account.bringYourOwn }),
    ...(account.storedObjects === 'shared' ? { stored_objects: account.storedObjects } : {}),
    ...optional('probe', account.probeMs === null ? null : formatDuration(account.probeMs)),
  };
}

function credentialTexts(account: ProviderAccount): unknown {
  const [first, ...more] = account.credentials;
  if (first === undefined || more.length > 0 || first.weight !== 1) return account.credentials.map(credentialText);
  const { weight: _one, ...text } = credentialText(first);
  return first.source === undefined || first.source.kind === 'google-json' ? text['secret'] : text;
}

/** One credential in the words of the configuration, secrets masked. */
export function credentialText({ secret, weight, source }: Credential): Readonly<Record<string, unknown>> {
  if (source === undefined) return { secret: secret.mask, weight };
  return { ...TEXTS[source.kind](source as never, secret.mask), weight };
}

type Text<Kind> = (source: Extract<CredentialSource, { kind: Kind }>, mask: string) => object;

const TEXTS: { readonly [Kind in CredentialSource['kind']]: Text<Kind> } = {
  'aws-keys': ({ accessKeyId, sessionToken }, mask) => ({
    access_key_id: accessKeyId,
    secret_access_key: mask,
    ...optional('session_token', sessionToken?.mask),
  }),
  'aws-profile': ({ profile }) => ({ profile }),
  'aws-ambient': ({ from }) => ({ source: from }),
  'entra-secret': ({ tenantId, clientId, scope }, mask) => ({
    tenant_id: tenantId,
    client_id: clientId,
    client_secret: mask,
    ...scopeText(scope),
  }),
  'entra-ambient': ({ from, tenantId, clientId, scope }) => ({
    source: from,
    ...optional('tenant_id', tenantId),
    ...optional('client_id', clientId),
    ...scopeText(scope),
  }),
  // The end of a file is no help: it is always the same brace.
  'google-json': () => ({ secret: '[secret]' }),
  'google-ambient': ({ from }) => ({ source: from }),
};

function scopeText(scope: string): object {
  return scope === ENTRA_SCOPE ? {} : { scope };
}

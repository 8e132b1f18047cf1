import type { Credential, EntraSource } from '../../../config/credential-source.js';
import { type Acquire, type AcquireContext, type Acquired, AcquireError, tokenFile, variable } from '../acquire.js';
import { askJson, endOfLife, textIn, trusted } from '../ask.js';

/** How a token of Microsoft Entra is got. `secret`: the client secret, where the source has one. */
export function acquireEntra(source: EntraSource, { secret }: Credential): Acquire {
  if (source.kind === 'entra-secret') {
    const { tenantId, clientId, scope } = source;
    return (context) => signIn(context, tenantId, { client_id: clientId, client_secret: secret.reveal(), scope });
  }
  return source.from === 'managed_identity'
    ? (context) => managedIdentity(context, source)
    : (context) => workloadIdentity(context, source);
}

type Ambient = Extract<EntraSource, { kind: 'entra-ambient' }>;

/** A pod of AKS, or any workload whose token Entra trusts: that token stands for the client secret. */
async function workloadIdentity(context: AcquireContext, source: Ambient): Promise<Acquired> {
  const needed = (given: string | null, name: string) => {
    const value = given ?? variable(context, name);
    if (value === null) throw new AcquireError(`${name} is not set`);
    return value;
  };
  const tenantId = needed(source.tenantId, 'AZURE_TENANT_ID');
  const clientId = needed(source.clientId, 'AZURE_CLIENT_ID');
  const assertion = await tokenFile(context, needed(null, 'AZURE_FEDERATED_TOKEN_FILE'));
  return signIn(context, tenantId, {
    client_id: clientId,
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: assertion,
    scope: source.scope,
  });
}

async function signIn(
  context: AcquireContext,
  tenantId: string,
  form: Readonly<Record<string, string>>,
): Promise<Acquired> {
  const authority = (variable(context, 'AZURE_AUTHORITY_HOST') ?? 'https://login.microsoftonline.com').replace(
    /\/+$/,
    '',
  );
  const url = `${authority}/${encodeURIComponent(tenantId)}/oauth2/v2.0/token`;
  const answer = await askJson(context, url, { method: 'POST', form: { grant_type: 'client_credentials', ...form } });
  return readToken(context, answer, new URL(url).host);
}

/**
 * The identity of the machine. App Service and Container Apps say where to ask; elsewhere it is the instance's metadata
 * service. https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token
 */
async function managedIdentity(context: AcquireContext, { scope, clientId }: Ambient): Promise<Acquired> {
  const local = variable(context, 'IDENTITY_ENDPOINT');
  const header = variable(context, 'IDENTITY_HEADER');
  const imds = variable(context, 'AZURE_POD_IDENTITY_AUTHORITY_HOST') ?? 'http://169.254.169.254';
  const isLocal = local !== null && header !== null;
  const url = trusted(isLocal ? local : `${imds.replace(/\/+$/, '')}/metadata/identity/oauth2/token`);
  url.searchParams.set('api-version', isLocal ? '2019-08-01' : '2018-02-01');
  url.searchParams.set('resource', scope.replace(/\/\.default$/, ''));
  if (clientId !== null) url.searchParams.set('client_id', clientId);
  const headers: Record<string, string> = isLocal ? { 'x-identity-header': header } : { metadata: 'true' };
  return readToken(context, await askJson(context, url.href, { headers }), url.host);
}

/** `expires_on` is in epoch seconds and only metadata servers send it, always; `expires_in` may be missing there. */
function readToken(context: AcquireContext, answer: Readonly<Record<string, unknown>>, from: string): Acquired {
  const token = textIn(answer, 'access_token', from);
  const now = context.now();
  const expiresAt = endOfLife(answer['expires_in'], now) ?? endOfLife(answer['expires_on'], 0);
  return { material: { kind: 'bearer', token }, expiresAt };
}

import { importPKCS8, SignJWT } from 'jose';
import type { AuthorizedUserJson, ServiceAccountJson } from '../../../config/google-json.js';
import { type AcquireContext, type Acquired, AcquireError } from '../acquire.js';
import { askJson, endOfLife, textIn } from '../ask.js';

export const CLOUD_SCOPE = 'https://www.googleapis.com/auth/cloud-platform';

/** Google takes assertions of an hour at most. */
const ASSERTION_SECONDS = 3600;

/** Signs an assertion with the account's key and trades it for a token. RFC 7523. */
export async function serviceAccountToken(context: AcquireContext, json: ServiceAccountJson): Promise<Acquired> {
  const issuedAt = Math.floor(context.now() / 1000);
  const key = await privateKey(json);
  const assertion = await new SignJWT({ scope: CLOUD_SCOPE })
    .setProtectedHeader({ alg: 'RS256', typ: 'JWT', ...(json.privateKeyId === null ? {} : { kid: json.privateKeyId }) })
    .setIssuer(json.clientEmail)
    .setAudience(json.tokenUri)
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + ASSERTION_SECONDS)
    .sign(key);
  const form = { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion };
  return trade(context, json.tokenUri, form);
}

/** The token of a person who has signed in with gcloud: for trying things out. */
export function userToken(context: AcquireContext, json: AuthorizedUserJson): Promise<Acquired> {
  return trade(context, json.tokenUri, {
    grant_type: 'refresh_token',
    client_id: json.clientId,
    client_secret: json.clientSecret,
    refresh_token: json.refreshToken,
  });
}

/** Asks a token endpoint that speaks OAuth 2. */
export async function trade(
  context: AcquireContext,
  url: string,
  form: Readonly<Record<string, string>>,
): Promise<Acquired> {
  const answer = await askJson(context, url, { method: 'POST', form });
  const token = textIn(answer, 'access_token', new URL(url).host);
  return { material: { kind: 'bearer', token }, expiresAt: endOfLife(answer['expires_in'], context.now()) };
}

async function privateKey({ privateKey, clientEmail }: ServiceAccountJson) {
  try {
    return await importPKCS8(privateKey, 'RS256');
  } catch {
    // What the library says may quote the key.
    throw new AcquireError(`the "private_key" of ${clientEmail} cannot be read`);
  }
}

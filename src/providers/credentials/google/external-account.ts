import type { ExternalAccountJson, SubjectToken } from '../../../config/google-json.js';
import { type AcquireContext, type Acquired, AcquireError, tokenFile } from '../acquire.js';
import { ask, parseObject } from '../ask.js';
import { impersonate } from './impersonate.js';
import { CLOUD_SCOPE, trade } from './token-endpoint.js';

/**
 * Workload identity federation: the token of another identity provider is traded at Google's STS, and the result, where
 * the JSON says so, for one of a service account. RFC 8693.
 */
export async function externalToken(context: AcquireContext, json: ExternalAccountJson): Promise<Acquired> {
  const subject = await subjectToken(context, json.subject);
  const federated = await trade(context, json.tokenUrl, {
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    audience: json.audience,
    scope: CLOUD_SCOPE,
    requested_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    subject_token: subject,
    subject_token_type: json.subjectTokenType,
  });
  return json.impersonation === null ? federated : impersonate(context, json.impersonation, federated);
}

async function subjectToken(context: AcquireContext, { place, field }: SubjectToken): Promise<string> {
  const isFile = 'file' in place;
  const from = isFile ? place.file : place.url;
  const text = isFile
    ? await tokenFile(context, place.file)
    : (await ask(context, place.url, { headers: place.headers })).text.trim();
  if (field === null) return text;
  const token = parseObject(text)?.[field];
  if (typeof token !== 'string' || token === '') throw new AcquireError(`${from} has no "${field}"`);
  return token;
}

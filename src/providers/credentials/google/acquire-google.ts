import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Credential, GoogleSource } from '../../../config/credential-source.js';
import { type GoogleJson, GoogleJsonError, readGoogleJson } from '../../../config/google-json.js';
import { type Acquire, type AcquireContext, type Acquired, AcquireError, fileText, variable } from '../acquire.js';
import { ask, endOfLife, parseObject, textIn } from '../ask.js';
import { externalToken } from './external-account.js';
import { impersonate } from './impersonate.js';
import { serviceAccountToken, userToken } from './token-endpoint.js';

/** How a token of Google Cloud is got. `secret`: the JSON, where the source is one. */
export function acquireGoogle(source: GoogleSource, { secret }: Credential): Acquire {
  if (source.kind === 'google-json') {
    const json = readGoogleJson(secret.reveal());
    return (context) => tokenOf(context, json);
  }
  return source.from === 'metadata' ? metadataToken : firstFound;
}

function tokenOf(context: AcquireContext, json: GoogleJson): Promise<Acquired> {
  switch (json.type) {
    case 'service_account':
      return serviceAccountToken(context, json);
    case 'authorized_user':
      return userToken(context, json);
    case 'external_account':
      return externalToken(context, json);
    case 'impersonated_service_account':
      return tokenOf(context, json.source).then((first) => impersonate(context, json.impersonation, first));
  }
}

/**
 * Google's order: the file that `GOOGLE_APPLICATION_CREDENTIALS` names, the one that gcloud wrote, the metadata server.
 * https://cloud.google.com/docs/authentication/application-default-credentials
 */
async function firstFound(context: AcquireContext): Promise<Acquired> {
  const named = variable(context, 'GOOGLE_APPLICATION_CREDENTIALS');
  if (named !== null) return tokenOf(context, readFileJson(named, await fileText(context, named)));
  const directory =
    variable(context, 'CLOUDSDK_CONFIG') ?? join(variable(context, 'HOME') ?? homedir(), '.config', 'gcloud');
  const path = join(directory, 'application_default_credentials.json');
  const text = await context.readFile(path).catch(() => null);
  return text === null ? metadataToken(context) : tokenOf(context, readFileJson(path, text));
}

function readFileJson(path: string, text: string): GoogleJson {
  try {
    return readGoogleJson(text);
  } catch (error) {
    throw error instanceof GoogleJsonError ? new AcquireError(`${path} ${error.message}`) : error;
  }
}

const FLAVOR = 'Google';

/** The service account of a machine on Compute Engine, GKE or Cloud Run. */
async function metadataToken(context: AcquireContext): Promise<Acquired> {
  const host = variable(context, 'GCE_METADATA_HOST') ?? 'metadata.google.internal';
  const url = `http://${host}/computeMetadata/v1/instance/service-accounts/default/token`;
  const { text, headers } = await ask(context, url, { headers: { 'metadata-flavor': FLAVOR } });
  // Anybody else who answers at this address does not say so: https://cloud.google.com/compute/docs/metadata/querying-metadata
  if (headers.get('metadata-flavor') !== FLAVOR) throw new AcquireError(`${host} is not Google's metadata server`);
  const answer = parseObject(text) ?? {};
  const token = textIn(answer, 'access_token', host);
  return { material: { kind: 'bearer', token }, expiresAt: endOfLife(answer['expires_in'], context.now()) };
}

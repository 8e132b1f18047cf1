import { type AcquireContext, type Acquired, AcquireError, tokenFile, variable } from '../acquire.js';
import { ask, timeIn, trusted, xmlText } from '../ask.js';
import { type AwsKeys, signV4 } from './sign-v4.js';

/** What must be known to become a role. */
export interface Role {
  readonly arn: string;
  /** Shown in AWS' own logs. */
  readonly sessionName: string | null;
  readonly externalId?: string | null;
}

/** Trades the token of an identity provider (Kubernetes, a CI system) for keys of a role. Needs no keys itself. */
export async function assumeRoleByToken(
  context: AcquireContext,
  region: string,
  role: Role,
  path: string,
): Promise<Acquired> {
  const token = await tokenFile(context, path);
  const form = { Action: 'AssumeRoleWithWebIdentity', WebIdentityToken: token, ...roleForm(role) };
  const { text } = await ask(context, endpoint(context, region), { method: 'POST', form });
  return readCredentials(text);
}

/** Trades keys for those of a role that they may become. */
export async function assumeRoleByKeys(
  context: AcquireContext,
  region: string,
  role: Role,
  keys: AwsKeys,
): Promise<Acquired> {
  const url = trusted(endpoint(context, region));
  const form = { Action: 'AssumeRole', ...roleForm(role) };
  const body = new URLSearchParams(form).toString();
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const call = { method: 'POST', host: url.host, path: url.pathname, body, headers };
  const signed = signV4(keys, { region, service: 'sts' }, call, context.now());
  const sent = { ...headers, ...Object.fromEntries(signed.map(({ name, value }) => [name, value])) };
  const { text } = await ask(context, url.href, { method: 'POST', headers: sent, body });
  return readCredentials(text);
}

function roleForm(role: Role): Readonly<Record<string, string>> {
  const { arn, sessionName, externalId = null } = role;
  return {
    Version: '2011-06-15',
    RoleArn: arn,
    RoleSessionName: sessionName ?? 'tollgate',
    ...(externalId === null ? {} : { ExternalId: externalId }),
  };
}

/** The regional one: the global one is further away, and one region's outage would be everybody's. */
function endpoint(context: AcquireContext, region: string): string {
  const suffix = region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
  return variable(context, 'AWS_ENDPOINT_URL_STS') ?? `https://sts.${region}.${suffix}/`;
}

function readCredentials(xml: string): Acquired {
  const accessKeyId = xmlText(xml, 'AccessKeyId');
  const secretAccessKey = xmlText(xml, 'SecretAccessKey');
  const sessionToken = xmlText(xml, 'SessionToken');
  if (accessKeyId === null || secretAccessKey === null || sessionToken === null) {
    throw new AcquireError('STS answered without credentials');
  }
  return {
    material: { kind: 'aws', keys: { accessKeyId, secretAccessKey, sessionToken } },
    expiresAt: timeIn(xmlText(xml, 'Expiration')),
  };
}

import { type AcquireContext, type Acquired, AcquireError, tokenFile, variable } from '../acquire.js';
import { ask, askJson, parseObject, textIn, timeIn, trusted } from '../ask.js';

/** ECS, and pods of EKS with a pod identity: an address and, for most, a token to show there. */
export async function containerKeys(context: AcquireContext): Promise<Acquired> {
  const relative = variable(context, 'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI');
  const url = relative === null ? variable(context, 'AWS_CONTAINER_CREDENTIALS_FULL_URI') : `${ECS}${relative}`;
  if (url === null) {
    throw new AcquireError(
      'neither AWS_CONTAINER_CREDENTIALS_RELATIVE_URI nor AWS_CONTAINER_CREDENTIALS_FULL_URI is set',
    );
  }
  const path = variable(context, 'AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE');
  const token = path === null ? variable(context, 'AWS_CONTAINER_AUTHORIZATION_TOKEN') : await tokenFile(context, path);
  const answer = await askJson(context, url, { headers: token === null ? {} : { authorization: token } });
  return readKeys(answer, new URL(url).host);
}

const ECS = 'http://169.254.170.2';

/** True when the surroundings name a container's credentials. */
export function isInContainer(context: AcquireContext): boolean {
  const names = ['AWS_CONTAINER_CREDENTIALS_RELATIVE_URI', 'AWS_CONTAINER_CREDENTIALS_FULL_URI'];
  return names.some((name) => variable(context, name) !== null);
}

const ROLES = '/latest/meta-data/iam/security-credentials/';

/**
 * The role of an EC2 instance, by version 2 of its metadata service only: every question carries a token that had to be
 * asked for, so that a forged request cannot get at the keys.
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html
 */
export async function instanceKeys(context: AcquireContext): Promise<Acquired> {
  if (variable(context, 'AWS_EC2_METADATA_DISABLED')?.toLowerCase() === 'true') {
    throw new AcquireError('AWS_EC2_METADATA_DISABLED forbids to ask for the role of the instance');
  }
  const root = variable(context, 'AWS_EC2_METADATA_SERVICE_ENDPOINT') ?? 'http://169.254.169.254';
  const { origin, host } = trusted(root);
  const life = { 'x-aws-ec2-metadata-token-ttl-seconds': '21600' };
  const session = await ask(context, `${origin}/latest/api/token`, { method: 'PUT', headers: life });
  const headers = { 'x-aws-ec2-metadata-token': session.text.trim() };
  const roles = await ask(context, `${origin}${ROLES}`, { headers });
  const role = roles.text.split('\n')[0]?.trim() ?? '';
  if (role === '') throw new AcquireError('the instance has no role');
  const { text } = await ask(context, `${origin}${ROLES}${encodeURIComponent(role)}`, { headers });
  return readKeys(parseObject(text) ?? {}, host);
}

function readKeys(answer: Readonly<Record<string, unknown>>, from: string): Acquired {
  const keys = {
    accessKeyId: textIn(answer, 'AccessKeyId', from),
    secretAccessKey: textIn(answer, 'SecretAccessKey', from),
    sessionToken: textIn(answer, 'Token', from),
  };
  return { material: { kind: 'aws', keys }, expiresAt: timeIn(answer['Expiration']) };
}

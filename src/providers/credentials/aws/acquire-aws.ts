import type { AwsSource } from '../../../config/credential-source.js';
import { type Acquire, type AcquireContext, type Acquired, AcquireError, variable } from '../acquire.js';
import { environmentKeys } from './environment.js';
import { containerKeys, instanceKeys, isInContainer } from './metadata.js';
import { profileKeys } from './profile.js';
import { usualProfile } from './profile-files.js';
import { assumeRoleByToken } from './sts.js';

type Ambient = Extract<AwsSource, { kind: 'aws-ambient' }>['from'];

/** How keys are got from a profile or from the place where we run. `region`: whose STS is asked. */
export function acquireAws(source: Exclude<AwsSource, { kind: 'aws-keys' }>, region: string): Acquire {
  if (source.kind === 'aws-ambient') return (context) => AMBIENT[source.from](context, region);
  const { profile } = source;
  return async (context) => {
    const acquired = await profileKeys(context, region, profile);
    if (acquired === null) throw new AcquireError(`there is no profile "${profile}" in AWS' files`);
    return acquired;
  };
}

const AMBIENT: Readonly<Record<Ambient, (context: AcquireContext, region: string) => Promise<Acquired>>> = {
  default: firstFound,
  container: containerKeys,
  instance: instanceKeys,
  web_identity: webIdentityKeys,
};

/**
 * AWS' order: environment, web identity, shared files, container, instance. The first that is there counts: when it does not
 * work, that is the problem to solve, and not one to get round.
 * https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html
 */
async function firstFound(context: AcquireContext, region: string): Promise<Acquired> {
  const given = environmentKeys(context);
  if (given !== null) return given;
  if (variable(context, 'AWS_WEB_IDENTITY_TOKEN_FILE') !== null) return webIdentityKeys(context, region);
  const profile = await profileKeys(context, region, usualProfile(context));
  if (profile !== null) return profile;
  const named = variable(context, 'AWS_PROFILE');
  if (named !== null) throw new AcquireError(`there is no profile "${named}" in AWS' files`);
  return isInContainer(context) ? containerKeys(context) : instanceKeys(context);
}

async function webIdentityKeys(context: AcquireContext, region: string): Promise<Acquired> {
  const path = variable(context, 'AWS_WEB_IDENTITY_TOKEN_FILE');
  const arn = variable(context, 'AWS_ROLE_ARN');
  if (path === null || arn === null) {
    throw new AcquireError(`${path === null ? 'AWS_WEB_IDENTITY_TOKEN_FILE' : 'AWS_ROLE_ARN'} is not set`);
  }
  const role = { arn, sessionName: variable(context, 'AWS_ROLE_SESSION_NAME') };
  return assumeRoleByToken(context, region, role, path);
}

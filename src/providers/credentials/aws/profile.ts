import { type AcquireContext, type Acquired, AcquireError } from '../acquire.js';
import { environmentKeys } from './environment.js';
import { containerKeys, instanceKeys } from './metadata.js';
import { type Profile, readProfiles } from './profile-files.js';
import type { AwsKeys } from './sign-v4.js';
import { assumeRoleByKeys, assumeRoleByToken } from './sts.js';

/** Roles that become roles: further than this it is a circle. */
const LONGEST_CHAIN = 5;

/** Keys of a profile: its own, or those of the role that it names. Null when there is no such profile. */
export async function profileKeys(context: AcquireContext, region: string, name: string): Promise<Acquired | null> {
  const profiles = await readProfiles(context);
  if (!profiles.has(name)) return null;
  return new ProfileReader(context, region, profiles).keysOf(name, 0);
}

class ProfileReader {
  readonly #context: AcquireContext;
  readonly #region: string;
  readonly #profiles: ReadonlyMap<string, Profile>;

  constructor(context: AcquireContext, region: string, profiles: ReadonlyMap<string, Profile>) {
    this.#context = context;
    this.#region = region;
    this.#profiles = profiles;
  }

  async keysOf(name: string, depth: number): Promise<Acquired> {
    const profile = this.#profiles.get(name);
    if (profile === undefined) throw new AcquireError(`there is no profile "${name}" in AWS' files`);
    if (depth > LONGEST_CHAIN) throw new AcquireError(`profile "${name}" leads to itself`);
    const arn = profile.get('role_arn');
    if (arn !== undefined) return this.#asRole(name, profile, { arn, depth });
    return ownKeys(name, profile);
  }

  async #asRole(name: string, profile: Profile, { arn, depth }: { arn: string; depth: number }): Promise<Acquired> {
    const role = {
      arn,
      sessionName: profile.get('role_session_name') ?? null,
      externalId: profile.get('external_id') ?? null,
    };
    const token = profile.get('web_identity_token_file');
    if (token !== undefined) return assumeRoleByToken(this.#context, this.#region, role, token);
    const acquired = await this.#first(name, profile, depth);
    if (acquired.material.kind !== 'aws') throw new AcquireError(`profile "${name}" has no keys to become its role`);
    return assumeRoleByKeys(this.#context, this.#region, role, acquired.material.keys);
  }

  /** The keys that may become the role. */
  #first(name: string, profile: Profile, depth: number): Promise<Acquired> {
    const source = profile.get('source_profile');
    // A profile may be its own source: then its own keys are meant.
    if (source === name) return Promise.resolve(ownKeys(name, profile));
    if (source !== undefined) return this.keysOf(source, depth + 1);
    const place = profile.get('credential_source') ?? '';
    const ways: Readonly<Record<string, () => Promise<Acquired>>> = {
      Environment: async () => {
        const keys = environmentKeys(this.#context);
        if (keys === null) throw new AcquireError('AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set');
        return keys;
      },
      Ec2InstanceMetadata: () => instanceKeys(this.#context),
      EcsContainer: () => containerKeys(this.#context),
    };
    const way = Object.hasOwn(ways, place) ? ways[place] : undefined;
    if (way !== undefined) return way();
    throw new AcquireError(`profile "${name}" names a role, but no source_profile or credential_source to become it`);
  }
}

function ownKeys(name: string, profile: Profile): Acquired {
  const accessKeyId = profile.get('aws_access_key_id') ?? '';
  const secretAccessKey = profile.get('aws_secret_access_key') ?? '';
  if (accessKeyId === '' || secretAccessKey === '') throw new AcquireError(noKeys(name, profile));
  const sessionToken = profile.get('aws_session_token') ?? '';
  const keys: AwsKeys = { accessKeyId, secretAccessKey, sessionToken: sessionToken === '' ? null : sessionToken };
  return { material: { kind: 'aws', keys }, expiresAt: null };
}

function noKeys(name: string, profile: Profile): string {
  const other = [...profile.keys()].find((setting) => /^(sso_|credential_process$|login_session$)/.test(setting));
  if (other === undefined) return `profile "${name}" has no aws_access_key_id and aws_secret_access_key`;
  return `profile "${name}" uses ${other}, which is for people at a terminal and not supported; give it keys or a role`;
}

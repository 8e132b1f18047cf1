import { deepEqual, equal, match } from 'node:assert/strict';
import t from 'tap';
import type { AwsSource } from '../../../src/config/credential-source.js';
import type { ProviderAccount } from '../../../src/config/snapshot.js';
import { signV4 } from '../../../src/providers/credentials/aws/sign-v4.js';
import type { CredentialPoolParts } from '../../../src/providers/credentials/create-credential-pool.js';
import { type Asked, startCloud, type Told } from './cloud-server.js';
import { account, call, createTestPool, credential, type TestPool } from './sample-parts.js';

const END = '2026-06-01T01:00:00Z';
const KEYS = { AccessKeyId: 'ASIAEXAMPLE', SecretAccessKey: 'canary-secret', Token: 'canary-session', Expiration: END };

function bedrock(source: AwsSource, secret = ''): ProviderAccount {
  const baseUrl = 'https://bedrock-runtime.eu-central-1.amazonaws.com';
  return account({
    name: 'b',
    kind: 'aws',
    baseUrl,
    region: 'eu-central-1',
    credentials: [credential(secret, source)],
  });
}

type Surroundings = Pick<Partial<CredentialPoolParts>, 'env' | 'fetch'> & {
  readonly files?: Readonly<Record<string, string>>;
};

/** A pool with real HTTP and files of its own, after the first try. */
async function poolFor(
  from: ProviderAccount,
  { env = {}, fetch: ask = fetch, files = {} }: Surroundings,
): Promise<TestPool> {
  const pool = createTestPool({
    env,
    fetch: ask,
    readFile: async (path) => {
      const text = files[path];
      if (text === undefined) throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
      return text;
    },
  });
  pool.keeper.use([from]);
  await pool.keeper.firstTries();
  return pool;
}

/** The keys that sign, seen from outside: the id in the credential, and the session token. */
function signedBy({ keeper }: TestPool, from: ProviderAccount): string {
  const { headers } = keeper.pool.authorise(from, call());
  const sent = Object.fromEntries(headers.map(({ name, value }) => [name, value]));
  const id = /Credential=([^/]+)\/20260601\/eu-central-1\/bedrock\//.exec(sent['authorization'] ?? '')?.[1];
  return `${id} ${sent['x-amz-security-token'] ?? '-'}`;
}

t.test('static keys sign each call', async (t) => {
  const from = bedrock({ kind: 'aws-keys', accessKeyId: 'AKIA1', sessionToken: null }, 'canary-secret');
  const pool = await poolFor(from, {});
  const outgoing = { ...call(), path: '/model/eu.anthropic.claude-v1%3A0/converse', body: Buffer.from('{"a":1}') };
  const authorised = pool.keeper.pool.authorise(from, outgoing);
  const keys = { accessKeyId: 'AKIA1', secretAccessKey: 'canary-secret', sessionToken: null };
  const expected = signV4(
    keys,
    { region: 'eu-central-1', service: 'bedrock' },
    { ...outgoing, host: 'bedrock-runtime.eu-central-1.amazonaws.com' },
    pool.clock.now,
  );
  t.same(authorised.headers, expected);
  t.match(authorised.secrets, [/^[0-9a-f]{64}$/]);
  pool.clock.turn(1000);
  t.notSame(pool.keeper.pool.authorise(from, outgoing).headers, expected, 'with the time of each call');
  t.notSame(pool.keeper.pool.authorise(from, { ...outgoing, body: Buffer.from('{}') }).secrets, authorised.secrets);
  t.notMatch(JSON.stringify(authorised), /canary/);
});

t.test('the role of an instance, by tokens', async (t) => {
  const cloud = await startCloud(t, ({ method, url, headers }) => {
    if (url === '/latest/api/token') {
      equal(method, 'PUT');
      equal(headers['x-aws-ec2-metadata-token-ttl-seconds'], '21600');
      return { body: 'imds-token' };
    }
    if (headers['x-aws-ec2-metadata-token'] !== 'imds-token') return { status: 401 };
    return url.endsWith('/security-credentials/') ? { body: 'my-role\n' } : { body: { Code: 'Success', ...KEYS } };
  });
  const from = bedrock({ kind: 'aws-ambient', from: 'instance' });
  const pool = await poolFor(from, { env: { AWS_EC2_METADATA_SERVICE_ENDPOINT: cloud.url } });
  t.equal(signedBy(pool, from), 'ASIAEXAMPLE canary-session');
  t.match(cloud.asked.at(-1), { method: 'GET', url: '/latest/meta-data/iam/security-credentials/my-role' });
  t.match(pool.keeper.pool.authorise(from, call()).secrets, [/^[0-9a-f]{64}$/, 'canary-session']);
  await pool.settle();
  t.same(pool.clock.waits, [2_880_000], 'renewed ahead of their end');
  pool.keeper.stop();
  const forbidden = await poolFor(from, { env: { AWS_EC2_METADATA_DISABLED: 'true' } });
  t.match(forbidden.problems, [/AWS_EC2_METADATA_DISABLED/]);
  forbidden.keeper.stop();
});

t.test('containers', async (t) => {
  const cloud = await startCloud(t, ({ url, headers }) => {
    if (headers.authorization !== 'file-token') return { status: 403, body: { code: 'AccessDenied', message: 'no' } };
    return { body: { ...KEYS, AccessKeyId: url === '/v1/pod' ? 'ASIAPOD' : 'ASIAECS' } };
  });
  const from = bedrock({ kind: 'aws-ambient', from: 'container' });
  const token = { AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: '/token' };
  const pod = {
    env: { AWS_CONTAINER_CREDENTIALS_FULL_URI: `${cloud.url}/v1/pod`, ...token },
    files: { '/token': 'file-token\n' },
  };
  const asked: string[] = [];
  const ecs: Surroundings = {
    env: { AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: '/v2/task', AWS_CONTAINER_AUTHORIZATION_TOKEN: 'file-token' },
    fetch: (url, request) => {
      asked.push(url);
      return fetch(url.replace('http://169.254.170.2', cloud.url), request);
    },
  };
  for (const [surroundings, id] of [
    [pod, 'ASIAPOD'],
    [ecs, 'ASIAECS'],
  ] as const) {
    const pool = await poolFor(from, surroundings);
    t.equal(signedBy(pool, from), `${id} canary-session`);
    pool.keeper.stop();
  }
  t.same(asked, ['http://169.254.170.2/v2/task']);
  for (const [env, problem] of [
    [{ ...pod.env, AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: '/none' }, 'b: cannot read /none (ENOENT)'],
    [{ AWS_CONTAINER_CREDENTIALS_FULL_URI: cloud.url }, `b: ${cloud.host} answered 403: AccessDenied: no`],
    [
      { AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://evil.example.com/' },
      'b: evil.example.com must be reached over https://',
    ],
    [{}, /neither AWS_CONTAINER_CREDENTIALS_RELATIVE_URI nor/],
  ] as const) {
    const pool = await poolFor(from, { ...pod, env });
    t.match(pool.problems, [problem]);
    pool.keeper.stop();
  }
});

const STS = (id: string) => `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <AssumeRoleResult><Credentials>
    <AccessKeyId>${id}</AccessKeyId><SecretAccessKey>canary-secret</SecretAccessKey>
    <SessionToken>canary&amp;session</SessionToken><Expiration>${END}</Expiration>
  </Credentials></AssumeRoleResult>
</AssumeRoleResponse>`;

/** STS: takes a token of an identity provider, or a signature that is right. */
function sts(host: () => string) {
  return ({ method, url, headers, form, body }: Asked): Told => {
    equal(method, 'POST');
    equal(form['Version'], '2011-06-15');
    match(form['RoleArn'] ?? '', /^arn:aws:iam::1:role\/\w+$/);
    if (form['Action'] === 'AssumeRoleWithWebIdentity') {
      if (form['WebIdentityToken'] !== 'canary-web-identity') {
        return {
          status: 400,
          body: `<ErrorResponse><Error><Code>InvalidIdentityToken</Code><Message>${form['WebIdentityToken']} is wrong</Message></Error></ErrorResponse>`,
        };
      }
      return { body: STS('ASIAWEB') };
    }
    const keys = { accessKeyId: 'AKIASOURCE', secretAccessKey: 'canary-source', sessionToken: null };
    const time = String(headers['x-amz-date']).replace(
      /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/,
      '$1-$2-$3T$4:$5:$6Z',
    );
    const covered = { 'content-type': String(headers['content-type']) };
    const signed = { method, host: host(), path: url, body, headers: covered };
    const expected = signV4(keys, { region: 'eu-central-1', service: 'sts' }, signed, Date.parse(time));
    equal(headers.authorization, expected.at(-1)?.value);
    deepEqual([form['ExternalId'], form['RoleSessionName']], ['ext', 'me']);
    return { body: STS('ASIAROLE') };
  };
}

t.test('web identity', async (t) => {
  const cloud = await startCloud(
    t,
    sts(() => cloud.host),
  );
  const from = bedrock({ kind: 'aws-ambient', from: 'web_identity' });
  const env = {
    AWS_ENDPOINT_URL_STS: cloud.url,
    AWS_ROLE_ARN: 'arn:aws:iam::1:role/r',
    AWS_WEB_IDENTITY_TOKEN_FILE: '/token',
  };
  const pool = await poolFor(from, { env, files: { '/token': 'canary-web-identity\n' } });
  t.equal(signedBy(pool, from), 'ASIAWEB canary&session');
  t.equal(cloud.asked[0]?.form['RoleSessionName'], 'tollgate');
  pool.keeper.stop();
  const refused = await poolFor(from, { env, files: { '/token': 'canary-other-token' } });
  t.match(refused.problems, [/answered 400: InvalidIdentityToken: … is wrong$/]);
  refused.keeper.stop();
  const without = await poolFor(from, { env: { AWS_ROLE_ARN: 'r' } });
  t.same(without.problems, ['b: AWS_WEB_IDENTITY_TOKEN_FILE is not set']);
  without.keeper.stop();
  const urls: string[] = [];
  const usual = await poolFor(from, {
    env: { ...env, AWS_ENDPOINT_URL_STS: '' },
    files: { '/token': 'canary-web-identity' },
    fetch: async (url) => {
      urls.push(url);
      return new Response(STS('A'));
    },
  });
  t.same(urls, ['https://sts.eu-central-1.amazonaws.com/']);
  usual.keeper.stop();
});

const FILES = {
  '/me/.aws/credentials': `
[default]
aws_access_key_id = AKIADEFAULT
aws_secret_access_key = canary-1 ; a comment
[session]
aws_access_key_id=AKIASESSION
aws_secret_access_key=canary-2
aws_session_token = canary-token
[source]
aws_access_key_id = AKIASOURCE
aws_secret_access_key = canary-source
[half]
aws_access_key_id = AKIAHALF
`,
  '/me/.aws/config': `# a comment
[default]
region = us-east-1
[profile role]
role_arn = arn:aws:iam::1:role/r
source_profile = source
external_id = ext
role_session_name = me
s3 =
  aws_access_key_id = AKIANESTED
[profile pod]
role_arn = arn:aws:iam::1:role/p
web_identity_token_file = /token
[profile person]
sso_session = acme
[profile circle]
role_arn = arn:aws:iam::1:role/c
source_profile = circle2
[profile circle2]
role_arn = arn:aws:iam::1:role/c
source_profile = circle
[profile lost]
role_arn = arn:aws:iam::1:role/l
[profile surroundings]
role_arn = arn:aws:iam::1:role/e
credential_source = Environment
external_id = ext
role_session_name = me
[sso-session acme]
sso_region = us-east-1
`,
  '/token': 'canary-web-identity',
};

t.test('profiles', async (t) => {
  const cloud = await startCloud(
    t,
    sts(() => cloud.host),
  );
  const env = {
    HOME: '/me',
    AWS_ENDPOINT_URL_STS: cloud.url,
    AWS_ACCESS_KEY_ID: 'AKIASOURCE',
    AWS_SECRET_ACCESS_KEY: 'canary-source',
  };
  for (const [profile, signer] of [
    ['default', 'AKIADEFAULT -'],
    ['session', 'AKIASESSION canary-token'],
    ['role', 'ASIAROLE canary&session'],
    ['pod', 'ASIAWEB canary&session'],
    ['surroundings', 'ASIAROLE canary&session'],
  ] as const) {
    const from = bedrock({ kind: 'aws-profile', profile });
    const pool = await poolFor(from, { env, files: FILES });
    t.same(pool.problems, [], profile);
    t.equal(signedBy(pool, from), signer, profile);
    pool.keeper.stop();
  }
  for (const [profile, problem] of [
    ['half', 'profile "half" has no aws_access_key_id and aws_secret_access_key'],
    ['person', 'profile "person" uses sso_session, which is for people at a terminal'],
    ['circle', 'leads to itself'],
    ['lost', 'profile "lost" names a role, but no source_profile or credential_source'],
    ['none', `there is no profile "none" in AWS' files`],
    ['acme', `there is no profile "acme" in AWS' files`],
  ] as const) {
    const pool = await poolFor(bedrock({ kind: 'aws-profile', profile }), { env, files: FILES });
    t.ok(pool.problems[0]?.includes(problem), `${profile}: ${pool.problems[0]}`);
    t.notMatch(pool.problems[0], /canary/);
    pool.keeper.stop();
  }
});

t.test('keys in files are looked at again', async (t) => {
  const from = bedrock({ kind: 'aws-profile', profile: 'default' });
  const files = { ...FILES };
  const pool = await poolFor(from, { env: { HOME: '/me' }, files });
  files['/me/.aws/credentials'] = files['/me/.aws/credentials'].replace('AKIADEFAULT', 'AKIAROTATED');
  await pool.settle();
  pool.clock.turn(60_000);
  await pool.settle();
  t.equal(signedBy(pool, from), 'AKIAROTATED -');
  pool.keeper.stop();
});

t.test("AWS' order", async (t) => {
  const cloud = await startCloud(t, (asked) => {
    if (asked.form['Action'] !== undefined) return sts(() => cloud.host)(asked);
    if (asked.url === '/container') return { body: { ...KEYS, AccessKeyId: 'ASIACONTAINER' } };
    if (asked.method === 'PUT') return { body: 't' };
    return asked.url.endsWith('/') ? { body: 'r' } : { body: { ...KEYS, AccessKeyId: 'ASIAINSTANCE' } };
  });
  const from = bedrock({ kind: 'aws-ambient', from: 'default' });
  const all: Record<string, string> = {
    AWS_ACCESS_KEY_ID: 'AKIAENV',
    AWS_SECRET_ACCESS_KEY: 'canary',
    AWS_WEB_IDENTITY_TOKEN_FILE: '/token',
    AWS_ROLE_ARN: 'arn:aws:iam::1:role/r',
    HOME: '/me',
    AWS_PROFILE: 'session',
    AWS_CONTAINER_CREDENTIALS_FULL_URI: `${cloud.url}/container`,
    AWS_EC2_METADATA_SERVICE_ENDPOINT: cloud.url,
    AWS_ENDPOINT_URL_STS: cloud.url,
  };
  for (const [id, removed] of [
    ['AKIAENV', ['AWS_ACCESS_KEY_ID']],
    ['ASIAWEB', ['AWS_WEB_IDENTITY_TOKEN_FILE']],
    ['AKIASESSION', ['AWS_PROFILE']],
    ['AKIADEFAULT', ['HOME']],
    ['ASIACONTAINER', ['AWS_CONTAINER_CREDENTIALS_FULL_URI']],
    ['ASIAINSTANCE', []],
  ] as const) {
    // Without HOME the files are looked for in the real one, where this surroundings have none.
    const pool = await poolFor(from, { env: { ...all }, files: FILES });
    t.match(signedBy(pool, from), new RegExp(`^${id} `), id);
    pool.keeper.stop();
    for (const name of removed) delete all[name];
  }
  const lost = await poolFor(from, { env: { ...all, AWS_PROFILE: 'gone' } });
  t.same(lost.problems, [`b: there is no profile "gone" in AWS' files`], 'what is named must be there');
  lost.keeper.stop();
});

import { deepEqual, equal } from 'node:assert/strict';
import { exportPKCS8, generateKeyPair, jwtVerify } from 'jose';
import t from 'tap';
import type { CredentialSource } from '../../../src/config/credential-source.js';
import type { CredentialPoolParts } from '../../../src/providers/credentials/create-credential-pool.js';
import { type Asked, type CloudServer, startCloud, type Told } from './cloud-server.js';
import { account, call, createTestPool, credential } from './sample-parts.js';

const SCOPE = 'https://cognitiveservices.azure.com/.default';
const CLOUD = 'https://www.googleapis.com/auth/cloud-platform';

interface Setting {
  readonly source: CredentialSource;
  readonly secret?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly files?: Readonly<Record<string, string>>;
  readonly fetch?: CredentialPoolParts['fetch'];
}

/** What the first try gave: the header that a call carries, or the problem that was told; and when it is renewed. */
async function firstTry({ source, secret = '', env = {}, files = {}, fetch: ask = fetch }: Setting) {
  const pool = createTestPool({
    env,
    fetch: ask,
    readFile: async (path) => {
      const text = files[path];
      if (text === undefined) throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
      return text;
    },
  });
  const kind = source.kind.startsWith('google') ? 'google' : 'azure';
  const from = account({ name: 'p', kind, credentials: [credential(secret, source)] });
  pool.keeper.use([from]);
  await pool.keeper.firstTries();
  await pool.settle();
  const [wait] = pool.clock.waits;
  pool.keeper.stop();
  if (pool.problems.length > 0) return { problem: pool.problems.join('\n') };
  const [header] = pool.keeper.pool.authorise(from, call()).headers;
  return { header: `${header?.name}: ${header?.value}`, wait };
}

t.test('Entra: an application signs in', async (t) => {
  const cloud = await startCloud(t, ({ method, url, form, headers }) => {
    deepEqual([method, url], ['POST', '/tenant-1/oauth2/v2.0/token']);
    equal(headers['content-type'], 'application/x-www-form-urlencoded');
    if (form['client_secret'] !== 'canary-secret') {
      const error_description = `AADSTS7000215: Invalid client secret ${form['client_secret']} provided.\r\nTrace ID: 1`;
      return { status: 401, body: { error: 'invalid_client', error_description } };
    }
    const { client_secret: _, ...rest } = form;
    deepEqual(rest, { grant_type: 'client_credentials', client_id: 'app-1', scope: SCOPE });
    return { body: { token_type: 'Bearer', expires_in: 3599, access_token: 'entra-token' } };
  });
  const source = { kind: 'entra-secret', tenantId: 'tenant-1', clientId: 'app-1', scope: SCOPE } as const;
  const env = { AZURE_AUTHORITY_HOST: `${cloud.url}/` };
  t.match(await firstTry({ source, secret: 'canary-secret', env }), {
    header: 'authorization: Bearer entra-token',
    wait: 3599_000 * 0.8,
  });
  const { problem } = await firstTry({ source, secret: 'canary-wrong', env });
  t.equal(
    problem,
    `p: ${cloud.host} answered 401: invalid_client: AADSTS7000215: Invalid client secret … provided.  Trace ID: 1`,
  );
  t.match(await firstTry({ source, env: { AZURE_AUTHORITY_HOST: 'http://login.example.com' } }), {
    problem: 'p: login.example.com must be reached over https://',
  });
});

t.test('Entra: a workload identity', async (t) => {
  const cloud = await startCloud(t, ({ url, form }) => {
    equal(url, '/tenant-1/oauth2/v2.0/token');
    deepEqual(form, {
      grant_type: 'client_credentials',
      client_id: 'app-1',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: 'canary-pod-token',
      scope: SCOPE,
    });
    return { body: { expires_in: 3600, access_token: 'pod-token' } };
  });
  const source = {
    kind: 'entra-ambient',
    from: 'workload_identity',
    tenantId: null,
    clientId: 'app-1',
    scope: SCOPE,
  } as const;
  const env = {
    AZURE_AUTHORITY_HOST: cloud.url,
    AZURE_TENANT_ID: 'tenant-1',
    AZURE_CLIENT_ID: 'not-asked',
    AZURE_FEDERATED_TOKEN_FILE: '/token',
  };
  const files = { '/token': 'canary-pod-token' };
  t.match(await firstTry({ source, env, files }), { header: 'authorization: Bearer pod-token' });
  t.match(await firstTry({ source, env }), { problem: 'p: cannot read /token (ENOENT)' });
  t.match(await firstTry({ source, env, files: { '/token': '\n' } }), { problem: 'p: /token is empty' });
  t.match(await firstTry({ source, files }), { problem: 'p: AZURE_TENANT_ID is not set' });
});

t.test('Entra: a managed identity', async (t) => {
  const cloud = await startCloud(t, ({ url, headers }) => {
    const { pathname, searchParams } = new URL(url, 'http://h');
    const query = Object.fromEntries(searchParams);
    if (pathname === '/app/token') {
      equal(headers['x-identity-header'], 'canary-header');
      deepEqual(query, { 'api-version': '2019-08-01', resource: 'https://cognitiveservices.azure.com' });
      return { body: { access_token: 'app-service-token', expires_on: '1780275600' } };
    }
    deepEqual([pathname, headers['metadata']], ['/metadata/identity/oauth2/token', 'true']);
    deepEqual(query, {
      'api-version': '2018-02-01',
      resource: 'https://cognitiveservices.azure.com',
      client_id: 'user-assigned',
    });
    return { body: { access_token: 'machine-token', expires_in: '86399', expires_on: '1' } };
  });
  const source = {
    kind: 'entra-ambient',
    from: 'managed_identity',
    tenantId: null,
    clientId: null,
    scope: SCOPE,
  } as const;
  const machine = {
    source: { ...source, clientId: 'user-assigned' },
    env: { AZURE_POD_IDENTITY_AUTHORITY_HOST: cloud.url },
  };
  t.match(await firstTry(machine), { header: 'authorization: Bearer machine-token', wait: 12 * 3_600_000 });
  const env = { IDENTITY_ENDPOINT: `${cloud.url}/app/token`, IDENTITY_HEADER: 'canary-header' };
  // 1780275600 is an hour after the test's clock.
  t.match(await firstTry({ source, env }), { header: 'authorization: Bearer app-service-token', wait: 2_880_000 });
});

/** Google's token endpoint: takes assertions whose signature is right. */
async function startGoogle(t: {
  teardown(action: () => void): void;
}): Promise<{ cloud: CloudServer; json: Readonly<Record<string, string>> }> {
  const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true });
  const cloud = await startCloud(t, async ({ form }) => {
    equal(form['grant_type'], 'urn:ietf:params:oauth:grant-type:jwt-bearer');
    const now = new Date('2026-06-01T00:00:00Z');
    const { payload, protectedHeader } = await jwtVerify(form['assertion'] ?? '', publicKey, { currentDate: now });
    deepEqual(protectedHeader, { alg: 'RS256', typ: 'JWT', kid: 'kid-1' });
    const iat = now.getTime() / 1000;
    deepEqual(payload, { iss: 'sa@acme.example', scope: CLOUD, aud: `${cloud.url}/token`, iat, exp: iat + 3600 });
    return { body: { access_token: 'sa-token', expires_in: 3599 } };
  });
  const json = {
    type: 'service_account',
    project_id: 'acme',
    private_key_id: 'kid-1',
    private_key: await exportPKCS8(privateKey),
    client_email: 'sa@acme.example',
    token_uri: `${cloud.url}/token`,
  };
  return { cloud, json };
}

const JSON_SOURCE = { kind: 'google-json' } as const;

t.test('Google: a service account signs an assertion', async (t) => {
  const { cloud, json } = await startGoogle(t);
  const tried = await firstTry({ source: JSON_SOURCE, secret: JSON.stringify(json) });
  t.match(tried, { header: 'authorization: Bearer sa-token', wait: 3599_000 * 0.8 });
  const other = await generateKeyPair('RS256', { extractable: true });
  const forged = { ...json, private_key: await exportPKCS8(other.privateKey) };
  t.match(await firstTry({ source: JSON_SOURCE, secret: JSON.stringify(forged) }), {
    problem: `p: ${cloud.host} answered 500: signature verification failed`,
  });
  const broken = { ...json, private_key: '-----BEGIN PRIVATE KEY-----\ncanary\n-----END PRIVATE KEY-----\n' };
  t.match(await firstTry({ source: JSON_SOURCE, secret: JSON.stringify(broken) }), {
    problem: 'p: the "private_key" of sa@acme.example cannot be read',
  });
  const plain = { ...json, token_uri: 'http://oauth2.example.com/token' };
  t.match(await firstTry({ source: JSON_SOURCE, secret: JSON.stringify(plain) }), { problem: /over https:/ });
});

t.test('Google: a person, and an account that acts for another', async (t) => {
  const cloud = await startCloud(t, ({ url, form, headers, body }): Told => {
    if (url === '/token') {
      deepEqual(form, {
        grant_type: 'refresh_token',
        client_id: 'c1',
        client_secret: 'canary-client',
        refresh_token: 'canary-refresh',
      });
      return { body: { access_token: 'user-token', expires_in: 3600 } };
    }
    deepEqual([url, headers.authorization], ['/act', 'Bearer user-token']);
    deepEqual(JSON.parse(body), { scope: [CLOUD], lifetime: '600s', delegates: ['d'] });
    return { body: { accessToken: 'acting-token', expireTime: '2026-06-01T00:10:00Z' } };
  });
  const user = {
    type: 'authorized_user',
    client_id: 'c1',
    client_secret: 'canary-client',
    refresh_token: 'canary-refresh',
    token_uri: `${cloud.url}/token`,
  };
  t.match(await firstTry({ source: JSON_SOURCE, secret: JSON.stringify(user) }), {
    header: 'authorization: Bearer user-token',
  });
  const acting = {
    type: 'impersonated_service_account',
    service_account_impersonation_url: `${cloud.url}/act`,
    service_account_impersonation: { token_lifetime_seconds: 600 },
    delegates: ['d'],
    source_credentials: user,
  };
  t.match(await firstTry({ source: JSON_SOURCE, secret: JSON.stringify(acting) }), {
    header: 'authorization: Bearer acting-token',
    wait: 300_000,
  });
});

t.test('Google: the token of another identity provider', async (t) => {
  const trade = ({ form, headers, url, body }: Asked): Told => {
    if (url === '/subject') {
      equal(headers['x-ask'], 'yes');
      return { body: { value: 'canary-subject' } };
    }
    if (url === '/act') {
      equal(headers.authorization, 'Bearer federated-token');
      deepEqual(JSON.parse(body), { scope: [CLOUD], lifetime: '3600s' });
      return { body: { accessToken: 'acting-token', expireTime: '2026-06-01T01:00:00Z' } };
    }
    deepEqual(form, {
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      audience: '//iam.googleapis.com/pools/1',
      scope: CLOUD,
      requested_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      subject_token: 'canary-subject',
      subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    });
    return { body: { access_token: 'federated-token', expires_in: 3600 } };
  };
  const cloud = await startCloud(t, trade);
  const external = (credential_source: object, more: object = {}) =>
    JSON.stringify({
      type: 'external_account',
      audience: '//iam.googleapis.com/pools/1',
      subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
      token_url: `${cloud.url}/sts`,
      credential_source,
      ...more,
    });
  const format = { type: 'json', subject_token_field_name: 'value' };
  const acting = { service_account_impersonation_url: `${cloud.url}/act` };
  const files = { '/token': ' canary-subject\n', '/token.json': '{ "value": "canary-subject" }' };
  for (const [secret, header] of [
    [external({ file: '/token' }), 'federated-token'],
    [external({ file: '/token.json', format }, acting), 'acting-token'],
    [external({ url: `${cloud.url}/subject`, headers: { 'x-ask': 'yes' }, format }, acting), 'acting-token'],
  ] as const) {
    t.match(await firstTry({ source: JSON_SOURCE, secret, files }), { header: `authorization: Bearer ${header}` });
  }
  const wrong = { ...format, subject_token_field_name: 'other' };
  t.match(await firstTry({ source: JSON_SOURCE, secret: external({ file: '/token.json', format: wrong }), files }), {
    problem: 'p: /token.json has no "other"',
  });
});

t.test('Google: the metadata server, and the order of Google', async (t) => {
  const cloud = await startCloud(t, ({ url, headers }) => {
    equal(url, '/computeMetadata/v1/instance/service-accounts/default/token');
    equal(headers['metadata-flavor'], 'Google');
    return { headers: { 'metadata-flavor': 'Google' }, body: { access_token: 'machine-token', expires_in: 1800 } };
  });
  const liar = await startCloud(t, () => ({ body: { access_token: 'canary', expires_in: 1800 } }));
  const metadata = { kind: 'google-ambient', from: 'metadata' } as const;
  const env = { GCE_METADATA_HOST: cloud.host };
  t.match(await firstTry({ source: metadata, env }), { header: 'authorization: Bearer machine-token' });
  t.match(await firstTry({ source: metadata, env: { GCE_METADATA_HOST: liar.host } }), {
    problem: `p: ${liar.host} is not Google's metadata server`,
  });

  const { json } = await startGoogle(t);
  const source = { kind: 'google-ambient', from: 'default' } as const;
  const home = { ...env, HOME: '/me' };
  const gcloud = '/me/.config/gcloud/application_default_credentials.json';
  const files = { '/sa.json': JSON.stringify(json), [gcloud]: JSON.stringify(json), '/bad.json': '{"type":"canary"}' };
  const cases: readonly [Setting, object][] = [
    [{ source, env: home }, { header: 'authorization: Bearer machine-token' }],
    [{ source, env: home, files }, { header: 'authorization: Bearer sa-token' }],
    [
      { source, env: { ...env, GOOGLE_APPLICATION_CREDENTIALS: '/sa.json' }, files },
      { header: 'authorization: Bearer sa-token' },
    ],
    [
      { source, env: { ...home, GOOGLE_APPLICATION_CREDENTIALS: '/none.json' }, files },
      { problem: 'p: cannot read /none.json (ENOENT)' },
    ],
    [
      { source, env: { ...home, GOOGLE_APPLICATION_CREDENTIALS: '/bad.json' }, files },
      { problem: /^p: \/bad.json is Google JSON without a "type"/ },
    ],
  ];
  for (const [setting, expected] of cases) t.match(await firstTry(setting), expected);
});

t.test('answers that are none', async (t) => {
  const source = { kind: 'entra-secret', tenantId: 't', clientId: 'c', scope: SCOPE } as const;
  const cases: readonly [Told, string][] = [
    [{ body: 'not json' }, 'answered something that is no JSON object'],
    [{ body: '[]' }, 'answered something that is no JSON object'],
    [{ body: { access_token: '' } }, 'answered without "access_token"'],
    [{ status: 302, headers: { location: 'http://127.0.0.1:1/' } }, 'answered 302'],
    [{ status: 503, body: 'x'.repeat(1000) }, 'answered 503'],
    [{ body: 'x'.repeat(300_000) }, 'answered too much'],
    [
      { status: 400, body: { error: { status: 'INVALID_ARGUMENT', message: 'no' } } },
      'answered 400: INVALID_ARGUMENT: no',
    ],
  ];
  for (const [told, problem] of cases) {
    const cloud = await startCloud(t, () => told);
    const tried = await firstTry({ source, env: { AZURE_AUTHORITY_HOST: cloud.url } });
    t.equal(tried.problem, `p: ${cloud.host} ${problem}`);
  }
  const refused = await firstTry({ source, env: { AZURE_AUTHORITY_HOST: 'http://127.0.0.1:1' } });
  t.match(refused, { problem: /^p: 127\.0\.0\.1:1 cannot be reached/ });
  const bad = await firstTry({ source, env: { AZURE_AUTHORITY_HOST: 'canary' } });
  t.match(bad, { problem: /is no URL$/ });
});

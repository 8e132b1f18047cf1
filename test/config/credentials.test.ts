import { generateKeyPairSync } from 'node:crypto';
import t from 'tap';
import { stringify } from 'yaml';
import { defaultConfig } from '../../src/config/default-config.js';
import { effectiveConfig } from '../../src/config/effective.js';
import { importLitellm } from '../../src/config/import-litellm.js';
import type { ProviderAccount } from '../../src/config/snapshot.js';
import { CLOUD_KINDS } from './cloud-kinds.js';
import { load, loaded, surroundings } from './surroundings.js';

const SERVICE_ACCOUNT = JSON.stringify(
  {
    type: 'service_account',
    project_id: 'acme-json',
    private_key: generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey.export({
      type: 'pkcs8',
      format: 'pem',
    }),
    client_email: 'canary@acme.example',
  },
  null,
  2,
);

const FILES: Readonly<Record<string, string>> = {
  '/run/secrets/sa.json': `${SERVICE_ACCOUNT}\n`,
  '/run/secrets/broken.json': '{ "type": "service_account", canary',
  '/run/secrets/other.json': '{ "type": "canary_account" }',
  '/run/secrets/bare.json': '{ "type": "service_account", "client_email": "canary@acme.example" }',
};

const ENV = { KEY: 'canary-key-0123456789', SECRET: 'canary-secret-access-key-1', TOKEN: 'canary-session-token-1' };

function around(env: Readonly<Record<string, string>> = {}) {
  return surroundings({
    kinds: CLOUD_KINDS,
    env: { ...ENV, ...env },
    readFile: (path) => {
      const text = FILES[path];
      if (text === undefined) throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
      return text;
    },
  });
}

function account(text: string, env: Readonly<Record<string, string>> = {}): ProviderAccount {
  const found = loaded(`providers: { p: ${text} }`, around(env)).providers.get('p');
  if (found === undefined) throw new Error('no provider');
  return found;
}

const BEDROCK = 'kind: bedrock, region: eu-central-1';
const AZURE = 'kind: azure-openai, base_url: https://acme.openai.azure.com/openai/v1';

t.test('what credentials become', async (t) => {
  const scope = 'https://cognitiveservices.azure.com/.default';
  const cases: readonly [string, string, object][] = [
    ['kind: plain', `"\${KEY}"`, { weight: 1 }],
    ['kind: plain', `{ secret: "\${KEY}", weight: 3 }`, { weight: 3 }],
    [
      BEDROCK,
      `{ access_key_id: AKIA1, secret_access_key: "\${SECRET}", session_token: "\${TOKEN}" }`,
      { source: { kind: 'aws-keys', accessKeyId: 'AKIA1' } },
    ],
    [BEDROCK, '{ profile: production }', { source: { kind: 'aws-profile', profile: 'production' } }],
    [
      BEDROCK,
      '{ source: web_identity, weight: 2 }',
      { weight: 2, source: { kind: 'aws-ambient', from: 'web_identity' } },
    ],
    [BEDROCK, '{ source: default }', { source: { kind: 'aws-ambient', from: 'default' } }],
    [
      AZURE,
      `{ tenant_id: t1, client_id: c1, client_secret: "\${SECRET}" }`,
      { source: { kind: 'entra-secret', tenantId: 't1', clientId: 'c1', scope } },
    ],
    [
      AZURE,
      '{ source: managed_identity, client_id: c1, scope: https://ai.azure.com/.default }',
      { source: { from: 'managed_identity', clientId: 'c1', tenantId: null, scope: 'https://ai.azure.com/.default' } },
    ],
    [AZURE, '{ source: workload_identity }', { source: { from: 'workload_identity', clientId: null, scope } }],
    ['kind: vertex, location: global', 'file:/run/secrets/sa.json', { weight: 1, source: { kind: 'google-json' } }],
    [
      'kind: vertex, location: global, project: p1',
      '{ source: default }',
      { source: { kind: 'google-ambient', from: 'default' } },
    ],
    [
      'kind: vertex, location: global, project: p1',
      '[{ source: metadata }]',
      { source: { kind: 'google-ambient', from: 'metadata' } },
    ],
  ];
  for (const [kind, text, expected] of cases) {
    const [credential, ...more] = account(`{ ${kind}, credentials: ${text} }`).credentials;
    t.match(credential, expected, `${kind}: ${text}`);
    t.same(more, []);
    const { source } = credential ?? {};
    t.equal(source === undefined, text.includes('KEY'), 'only a key is sent as it is');
  }
  const keys = account(`{ ${BEDROCK}, credentials: { access_key_id: A, secret_access_key: "\${SECRET}" } }`);
  t.equal(keys.credentials[0]?.secret.reveal(), ENV.SECRET);
});

t.test('unequal weights', async (t) => {
  const { credentials } = account(
    '{ kind: plain, credentials: [{ secret: a1, weight: 80 }, { secret: b1, weight: 20 }, c1] }',
  );
  t.same(
    credentials.map(({ weight }) => weight),
    [80, 20, 1],
  );
});

t.test('places', async (t) => {
  const google = '{ kind: vertex, credentials: { source: default }';
  t.match(account(`{ ${BEDROCK}, credentials: "\${KEY}" }`), {
    baseUrl: 'https://bedrock-runtime.eu-central-1.amazonaws.com',
    region: 'eu-central-1',
  });
  const fromEnvironment = account(`{ kind: bedrock, credentials: "\${KEY}" }`, {
    AWS_REGION: '',
    AWS_DEFAULT_REGION: 'us-west-2',
  });
  t.match(fromEnvironment, { baseUrl: /bedrock-runtime\.us-west-2\./, region: 'us-west-2' });
  t.match(account(`${google}, project: acme, location: europe-west1 }`), {
    baseUrl: 'https://europe-west1-aiplatform.googleapis.com',
    project: 'acme',
    location: 'europe-west1',
  });
  t.match(account(`${google}, location: global }`, { GOOGLE_CLOUD_PROJECT: 'acme-env' }), {
    baseUrl: 'https://aiplatform.googleapis.com',
    project: 'acme-env',
  });
  const json = 'credentials: file:/run/secrets/sa.json';
  t.match(account(`{ kind: vertex, location: global, ${json} }`), { project: 'acme-json' });
  t.match(account(`{ kind: vertex, location: global, base_url: http://127.0.0.1:81, ${json} }`), {
    baseUrl: 'http://127.0.0.1:81',
    location: 'global',
  });
  t.notOk('region' in account(`{ kind: plain, credentials: "\${KEY}" }`, { AWS_REGION: 'eu-west-1' }));
});

t.test('mistakes', async (t) => {
  const cases: readonly [string, string | RegExp][] = [
    [`{ kind: bedrock, credentials: "\${KEY}" }`, 'region: is required for kind bedrock; or set AWS_REGION'],
    ['{ kind: vertex, location: global, credentials: { source: default } }', 'project: is required for kind vertex'],
    [
      `{ ${BEDROCK} }`,
      `is required for kind bedrock, for example "\${AWS_BEARER_TOKEN_BEDROCK}" or { source: default }`,
    ],
    [
      '{ kind: vertex, project: p, location: global }',
      'credentials: is required for kind vertex, for example { source: default }',
    ],
    ['{ kind: plain, region: eu-west-1, credentials: k1 }', 'region: kind plain has no region'],
    ['{ kind: bedrock, region: "evil.example.com/", credentials: k1 }', 'region: must be a region'],
    [`{ ${BEDROCK}, credentials: { access_key_id: A } }`, 'credentials.secret_access_key: is required for AWS keys'],
    [
      `{ ${BEDROCK}, credentials: [k1, { profile: a, client_id: b }] }`,
      'credentials[1].client_id: does not belong to an AWS profile',
    ],
    [`{ ${BEDROCK}, credentials: { source: metadata } }`, 'kind bedrock has no source metadata'],
    [`{ ${BEDROCK}, credentials: { source: instanc } }`, 'credentials.source: must be default or container'],
    [`{ ${BEDROCK}, credentials: { weight: 2 } }`, 'credentials: says nothing; bedrock takes { secret }'],
    [`{ ${BEDROCK}, credentials: { acess_key_id: A } }`, 'unknown key "acess_key_id"; did you mean "access_key_id"?'],
    ['{ kind: plain, credentials: { source: default } }', 'kind plain has no source default'],
    ['{ kind: plain, credentials: { profile: a } }', 'kind plain does not take an AWS profile; plain takes { secret }'],
    ['{ kind: plain, credentials: file:/run/secrets/sa.json }', 'credentials: kind plain takes no Google account'],
    ['{ kind: free, credentials: k1 }', 'credentials: kind free takes no credential'],
    ['{ kind: free, bring_your_own: allowed }', 'bring_your_own: kind free takes no key'],
    ['{ kind: plain, credentials: k1, bring_your_own: yes }', 'must be off or allowed or required'],
    [
      '{ kind: vertex, location: global, project: p, credentials: file:/run/secrets/broken.json }',
      'credentials: begins with "{", but is no JSON',
    ],
    [
      '{ kind: vertex, location: global, project: p, credentials: file:/run/secrets/other.json }',
      'without a "type" that is known',
    ],
    [
      '{ kind: vertex, location: global, project: p, credentials: [file:/run/secrets/bare.json] }',
      'credentials[0]: is Google JSON without "private_key"',
    ],
    ['{ kind: plain, credentials: "" }', 'credentials: is empty'],
    ['{ kind: plain, credentials: "a\\nb" }', 'credentials: must be a secret of printable ASCII'],
    ['{ kind: plain, credentials: 5 }', 'credentials: must be a secret'],
    ['{ kind: plain, credentials: [[k1]] }', 'credentials[0]: must be a secret or a map of settings'],
    ['{ kind: plain, credentials: k1, headers: { X-Amz-Date: a } }', 'this header is set by the gateway'],
  ];
  for (const [text, message] of cases) {
    const { problems } = load(`providers: { p: ${text} }`, around());
    t.ok(
      problems.some((problem) => problem.includes(String(message))),
      `${text}\n${problems.join('\n')}`,
    );
    t.notMatch(problems.join('\n'), /canary/);
  }
  const { problems } = load('providers: { p: { kind: bedrock, credentials: k1 } }', around({ AWS_REGION: 'a b' }));
  t.match(problems, [/region: AWS_REGION is no region/]);
  t.same(load('providers: { p: { kind: plain, bring_your_own: required } }', around()).problems, []);
});

t.test('in print-config every secret is masked, and what it prints is meant the same', async (t) => {
  const text = `providers:
  keys: { ${BEDROCK}, credentials: { access_key_id: AKIA1, secret_access_key: "\${SECRET}", session_token: "\${TOKEN}" } }
  role: { ${BEDROCK}, credentials: [{ source: instance, weight: 3 }, { profile: a }] }
  app: { ${AZURE}, credentials: { tenant_id: t1, client_id: c1, client_secret: "\${SECRET}", scope: https://a/.default } }
  pod: { ${AZURE}, credentials: { source: workload_identity, tenant_id: t1 } }
  google: { kind: vertex, location: global, credentials: file:/run/secrets/sa.json, bring_your_own: allowed }
  cloud: { kind: vertex, location: global, project: p1, credentials: { source: metadata } }
`;
  const { providers } = effectiveConfig(loaded(text, around()));
  t.same(providers, {
    keys: {
      kind: 'bedrock',
      base_url: 'https://bedrock-runtime.eu-central-1.amazonaws.com',
      credentials: { access_key_id: 'AKIA1', secret_access_key: '[secret:ey-1]', session_token: '[secret:en-1]' },
      region: 'eu-central-1',
    },
    role: {
      kind: 'bedrock',
      base_url: 'https://bedrock-runtime.eu-central-1.amazonaws.com',
      credentials: [
        { source: 'instance', weight: 3 },
        { profile: 'a', weight: 1 },
      ],
      region: 'eu-central-1',
    },
    app: {
      kind: 'azure-openai',
      base_url: 'https://acme.openai.azure.com/openai/v1',
      credentials: { tenant_id: 't1', client_id: 'c1', client_secret: '[secret:ey-1]', scope: 'https://a/.default' },
    },
    pod: {
      kind: 'azure-openai',
      base_url: 'https://acme.openai.azure.com/openai/v1',
      credentials: { source: 'workload_identity', tenant_id: 't1' },
    },
    google: {
      kind: 'vertex',
      base_url: 'https://aiplatform.googleapis.com',
      credentials: '[secret]',
      project: 'acme-json',
      location: 'global',
      bring_your_own: 'allowed',
    },
    cloud: {
      kind: 'vertex',
      base_url: 'https://aiplatform.googleapis.com',
      credentials: { source: 'metadata' },
      project: 'p1',
      location: 'global',
    },
  });
});

t.test('a rotated secret of any kind is a new version', async (t) => {
  const text = `providers: { p: { ${BEDROCK}, credentials: { access_key_id: A, secret_access_key: "\${SECRET}", session_token: "\${TOKEN}" } } }`;
  const versions = [around(), around({ SECRET: 'canary-other' }), around({ TOKEN: 'canary-other' })];
  t.equal(new Set(versions.map((context) => loaded(text, context).version)).size, 3);
});

t.test('without a file, variables switch on what needs no more', async (t) => {
  const base = { directory: '/srv/gate', mockBaseUrl: null, firstKey: null };
  const find = (env: Readonly<Record<string, string>>) => {
    const result = defaultConfig({ ...around({ PLAIN_KEY: 'canary-plain-1', ...env }), ...base });
    if ('problems' in result) throw new Error('refused');
    return { names: [...result.snapshot.providers.keys()], said: result.providers };
  };
  const bearer = { AWS_BEARER_TOKEN_BEDROCK: 'canary-bedrock' };
  t.same(find({}).names, ['plain']);
  t.same(find(bearer).names, ['plain']);
  t.match(
    find(bearer).said.find(({ kind }) => kind === 'bedrock'),
    { variable: 'AWS_REGION', found: false },
  );
  t.same(find({ ...bearer, AWS_REGION: 'eu-west-1' }).names, ['plain', 'bedrock']);
  t.notOk(
    find({ GOOGLE_CLOUD_PROJECT: 'p', GOOGLE_CLOUD_LOCATION: 'global' }).names.includes('vertex'),
    'no key, no provider',
  );
});

t.test('accounts of clouds from LiteLLM', async (t) => {
  const imported = importLitellm(
    `model_list:
  - model_name: a
    litellm_params: { model: bedrock/eu.model-1, aws_region_name: eu-west-1, aws_access_key_id: AKIA1, aws_secret_access_key: canary-literal-1 }
  - { model_name: b, litellm_params: { model: bedrock_converse/model-2, aws_region_name: os.environ/REGION, aws_profile_name: prod } }
  - { model_name: c, litellm_params: { model: bedrock/model-3, aws_region_name: us-east-1 } }
  - { model_name: d, litellm_params: { model: vertex_ai/gemini-1, vertex_project: p1, vertex_location: global, vertex_credentials: /run/secrets/sa.json } }
  - { model_name: e, litellm_params: { model: azure/gpt, api_base: https://a.openai.azure.com, tenant_id: t1, client_id: c1, client_secret: os.environ/AZ } }
`,
    CLOUD_KINDS,
  );
  t.match(imported?.config, {
    providers: {
      bedrock: {
        region: 'eu-west-1',
        credentials: { access_key_id: 'AKIA1', secret_access_key: `\${AWS_SECRET_ACCESS_KEY}` },
      },
      'bedrock-2': { region: `\${REGION}`, credentials: { profile: 'prod' } },
      'bedrock-3': { region: 'us-east-1', credentials: { source: 'default' } },
      vertex: { project: 'p1', location: 'global', credentials: 'file:/run/secrets/sa.json' },
      'azure-openai': { credentials: { tenant_id: 't1', client_id: 'c1', client_secret: `\${AZ}` } },
    },
  });
  t.notMatch(JSON.stringify(imported), /canary/);
  t.match(imported?.notes, [/aws_secret_access_key: not copied into the file; set AWS_SECRET_ACCESS_KEY to it/]);
  const env = { AWS_SECRET_ACCESS_KEY: 'canary-1', REGION: 'eu-west-3', AZ: 'canary-2' };
  t.same(load(stringify(imported?.config), around(env)).problems, []);
});

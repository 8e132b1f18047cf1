import t from 'tap';
import { defaultConfig } from '../../src/config/default-config.js';
import { surroundings } from './surroundings.js';

const BASE = {
  directory: '/srv/gate',
  mockBaseUrl: 'http://127.0.0.1:4242/v1',
  firstKey: 'sk-tg-first-key-0123456789',
};

t.test('the mock, what the environment has, one key', async (t) => {
  const env = { OPENAI_API_KEY: ' sk-canary-1234567890\n', GROQ_API_KEY: '' };
  const result = defaultConfig({ ...surroundings({ env }), ...BASE });
  if ('problems' in result) throw new Error('refused');
  const { snapshot, providers } = result;
  t.same([...snapshot.providers.keys()], ['openai', 'mock']);
  t.equal(snapshot.providers.get('mock')?.baseUrl, BASE.mockBaseUrl);
  t.equal(snapshot.providers.get('openai')?.credentials[0]?.secret.reveal(), 'sk-canary-1234567890');
  t.match(
    providers.find(({ kind }) => kind === 'groq'),
    { variable: 'GROQ_API_KEY', found: false },
  );
  t.equal(providers.filter(({ found }) => found).length, 1);
  t.notOk(
    providers.some(({ kind }) => kind === 'mock' || kind === 'azure-openai'),
    'not switched on by one variable',
  );
  t.match(snapshot, {
    path: null,
    dataDirectory: '/srv/gate/data',
    runtimeDirectory: '/srv/gate/run',
    admin: { token: null },
  });
  t.equal(snapshot.keys[0]?.id, 'first');
  t.match(snapshot.prices, [{ model: 'mock/*', input: 1, output: 2 }]);
});

t.test('every vendor that needs nothing but a key', async (t) => {
  const env = {
    ANTHROPIC_API_KEY: 'a-1',
    GOOGLE_API_KEY: 'g-1',
    COHERE_API_KEY: 'c-1',
    AWS_BEARER_TOKEN_BEDROCK: 'b-1',
  };
  const named = (more: Readonly<Record<string, string>>) => {
    const result = defaultConfig({ ...surroundings({ env: { ...env, ...more } }), ...BASE });
    if ('problems' in result) throw new Error('refused');
    return [...result.snapshot.providers.keys()].filter((name) => name !== 'mock').sort();
  };
  t.same(named({}), ['anthropic', 'cohere', 'gemini']);
  t.same(named({ AWS_REGION: 'eu-west-1', GOOGLE_CLOUD_PROJECT: 'p', GOOGLE_CLOUD_LOCATION: 'global' }), [
    'anthropic',
    'bedrock',
    'cohere',
    'gemini',
  ]);
});

t.test('without a first key and with an admin token', async (t) => {
  const result = defaultConfig({ ...surroundings({ env: { TOLLGATE_ADMIN_TOKEN: 'tok' } }), ...BASE, firstKey: null });
  if ('problems' in result) throw new Error('refused');
  t.same(result.snapshot.keys, []);
  t.equal(result.snapshot.admin.token?.reveal(), 'tok');
});

t.test('an unusable credential is a problem, not a crash, and is not repeated', async (t) => {
  const result = defaultConfig({ ...surroundings({ env: { OPENAI_API_KEY: 'canary\ncanary' } }), ...BASE });
  t.match(result, { problems: [{ file: '(built-in)', line: 1, column: 1, path: 'providers.openai.credentials' }] });
  t.notMatch(JSON.stringify(result), /canary/);
});

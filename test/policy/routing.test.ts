import fc from 'fast-check';
import t from 'tap';
import type { Model, ProviderAccount, Retry } from '../../src/config/snapshot.js';
import { createAccess } from '../../src/policy/access.js';
import type { GatewayKey } from '../../src/policy/keys/key-ring.js';
import { createModelList } from '../../src/policy/routing/model-list.js';
import { createResolver, type Names } from '../../src/policy/routing/resolve.js';
import { RETRY } from '../sample-retry.js';

const retry = RETRY;
const ownRetry: Retry = { ...retry, attempts: 5 };
const target = { weight: 1, contextWindow: null, retry } as const;
const smart: Model = {
  name: 'smart',
  targets: [{ ...target, name: 'openai/gpt-5', provider: 'openai', model: 'gpt-5', retry: ownRetry }],
  balance: 'weighted',
  retry: ownRetry,
  retryBudget: null,
  allowUnpriced: true,
  outputCap: 4096,
};
const provider = (name: string): ProviderAccount => ({
  name,
  kind: 'openai',
  baseUrl: 'https://x',
  credentials: [],
  headers: {},
  apiVersion: null,
  probeMs: null,
});

function names(modelsOnly = false): Names {
  return {
    models: new Map([
      ['smart', smart],
      ['team/fast', { ...smart, name: 'team/fast' }],
    ]),
    providers: new Map(['openai', 'openrouter'].map((name) => [name, provider(name)])),
    defaults: { retry, retryBudget: 0.2, outputCap: 4096 },
    gateway: { modelsOnly },
  };
}

t.test('names', async (t) => {
  const { resolve } = createResolver(names());
  t.same(resolve('smart'), {
    model: 'smart',
    targets: smart.targets,
    balance: 'weighted',
    retry: ownRetry,
    retryBudget: null,
    allowUnpriced: true,
    outputCap: 4096,
  });
  t.equal(resolve('team/fast')?.model, 'team/fast', 'a configured name may hold a slash');
  t.same(resolve('openrouter/meta/llama:free'), {
    model: 'openrouter/meta/llama:free',
    targets: [{ ...target, name: 'openrouter/meta/llama:free', provider: 'openrouter', model: 'meta/llama:free' }],
    balance: 'ordered',
    retry,
    retryBudget: 0.2,
    outputCap: 4096,
    allowUnpriced: false,
  });
  for (const unknown of [
    '',
    '/',
    'openai',
    'openai/',
    '/gpt-5',
    'Smart',
    'OpenAI/x',
    'groq/x',
    'openai/a\nb',
    'openai/\0',
    'openai/\ud800',
    `openai/${'x'.repeat(600)}`,
    'constructor/x',
    '__proto__/x',
  ]) {
    t.equal(resolve(unknown), null, JSON.stringify(unknown).slice(0, 40));
  }
  const strict = createResolver(names(true));
  t.equal(strict.resolve('openai/gpt-5'), null);
  t.equal(strict.resolve('smart')?.model, 'smart');
  fc.assert(
    fc.property(fc.string(), (name) => {
      const found = resolve(name);
      return found === null || found.model === name;
    }),
  );
});

t.test('model list', async (t) => {
  const key = (models: readonly string[] | null): GatewayKey => ({ id: 'k', labels: {}, models, expiresAt: null });
  const catalogue = new Map([
    ['openai', ['gpt-5-mini', 'gpt-5']],
    ['not-configured', ['x']],
  ]);
  const sources = { names: names(), access: createAccess(), catalogue, createdAt: 1_700_000_000_999 };
  const list = createModelList(sources);
  t.same(
    list.list(key(null)).map((model) => model.id),
    ['smart', 'team/fast', 'openai/gpt-5', 'openai/gpt-5-mini'],
  );
  t.same(list.list(key(['smart', '*mini'])), [
    { id: 'smart', object: 'model', created: 1_700_000_000, owned_by: 'tollgate' },
    { id: 'openai/gpt-5-mini', object: 'model', created: 1_700_000_000, owned_by: 'openai' },
  ]);
  t.same(list.list(key([])), []);
  t.equal(list.find(key(['smart']), 'openai/gpt-5'), null, 'not allowed is not there');
  t.equal(list.find(key(null), 'smart')?.owned_by, 'tollgate');
  t.equal(list.find(key(null), 'openai/newer-than-the-catalogue')?.owned_by, 'openai');
  t.equal(list.find(key(null), 'groq/x'), null);
  const strict = createModelList({ ...sources, names: names(true) });
  t.same(
    strict.list(key(null)).map((model) => model.id),
    ['smart', 'team/fast'],
  );
  t.equal(strict.find(key(null), 'openai/gpt-5'), null);
});

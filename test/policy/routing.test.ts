import fc from 'fast-check';
import t from 'tap';
import type { Model, ProviderAccount, Retry } from '../../src/config/snapshot.js';
import type { ModelFacts } from '../../src/dialects/model-facts.js';
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
    strict: false,
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
    strict: false,
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
  const nothing = { created: 1_700_000_000, title: null, contextWindow: null, maxOutput: null };
  t.same(list.list(key(['smart', '*mini'])), [
    { id: 'smart', owner: 'tollgate', ...nothing },
    { id: 'openai/gpt-5-mini', owner: 'openai', ...nothing },
  ]);
  t.same(list.list(key([])), []);
  t.equal(list.find(key(['smart']), 'openai/gpt-5'), null, 'not allowed is not there');
  t.equal(list.find(key(null), 'smart')?.owner, 'tollgate');
  t.equal(list.find(key(null), 'openai/newer-than-the-catalogue')?.owner, 'openai');
  t.equal(list.find(key(null), 'groq/x'), null);
  const strict = createModelList({ ...sources, names: names(true) });
  t.same(
    strict.list(key(null)).map((model) => model.id),
    ['smart', 'team/fast'],
  );
  t.equal(strict.find(key(null), 'openai/gpt-5'), null);

  const facts = { title: null, contextWindow: null, maxOutput: null };
  let listed: readonly ModelFacts[] = [];
  const windows: Readonly<Record<string, number>> = { 'gpt-5': 400_000, 'gpt-5-mini': 300_000 };
  const details = (_provider: string, model: string) => ({ ...facts, contextWindow: windows[model] ?? null });
  const asked: string[] = [];
  const merged = createModelList({
    ...sources,
    details,
    listed: (provider) => {
      asked.push(provider);
      return provider === 'openai' ? listed : [];
    },
  });
  const ids = () => merged.list(key(null)).map(({ id }) => id);
  t.equal(merged.find(key(null), 'smart')?.contextWindow, 400_000, 'what its targets take');
  t.same(ids(), ['smart', 'team/fast', 'openai/gpt-5', 'openai/gpt-5-mini']);
  listed = [
    { ...facts, id: 'gpt-5', title: 'GPT-5', contextWindow: 128_000 },
    { ...facts, id: 'ft:mine' },
  ];
  t.same(
    ids(),
    ['smart', 'team/fast', 'openai/ft:mine', 'openai/gpt-5', 'openai/gpt-5-mini'],
    'a new list is seen at once',
  );
  t.match(
    merged.find(key(null), 'openai/gpt-5'),
    { title: 'GPT-5', contextWindow: 128_000 },
    'the provider knows best',
  );
  t.match(merged.find(key(null), 'openai/gpt-5-mini'), { contextWindow: 300_000 });
  t.same(
    merged.list(key(['openai/ft:*'])).map(({ id }) => id),
    ['openai/ft:mine'],
  );
  t.notOk(asked.includes('not-configured'));
});

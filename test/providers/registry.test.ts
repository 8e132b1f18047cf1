import { calcPrice, findProvider } from '@pydantic/genai-prices';
import t from 'tap';
import type { ProviderAccount } from '../../src/config/snapshot.js';
import type { Endpoint, Wire } from '../../src/dialects/endpoint.js';
import { endpointOfWire } from '../../src/dialects/endpoints.js';
import { findTranslation } from '../../src/dialects/translate/registry.js';
import { PROVIDER_KINDS } from '../../src/providers/registry.js';
import { NO_RECORDINGS, openaiRecordings } from '../dialects/recordings.js';

const EXPECTED = [
  'openai',
  'anthropic',
  'azure-openai',
  'gemini',
  'vertex',
  'bedrock',
  'deepseek',
  'qwen',
  'moonshot',
  'zhipu',
  'mistral',
  'groq',
  'openrouter',
  'together',
  'fireworks',
  'xai',
  'perplexity',
  'cerebras',
  'sambanova',
  'nvidia',
  'github',
  'huggingface',
  'crusoe',
  'cohere',
  'jina',
  'voyage',
  'ollama',
  'vllm',
  'openai-compatible',
  'mock',
];

/** They have embeddings and rerank only. */
const WITHOUT_CHAT: ReadonlySet<string> = new Set(['jina', 'voyage']);

function account(baseUrl: string, more: Partial<ProviderAccount> = {}): ProviderAccount {
  return { name: 'p', kind: 'openai', baseUrl, credentials: [], headers: {}, apiVersion: null, probeMs: null, ...more };
}

function endpoint(upstreamPath: string, wire: Wire = 'openai-chat'): Endpoint {
  return { path: `/v1${upstreamPath}`, method: 'POST', wire, errors: 'openai', body: 'json', upstreamPath };
}

const CHAT = endpoint('/chat/completions');

function kindOf(name: string) {
  const kind = PROVIDER_KINDS.get(name);
  if (kind === undefined) throw new Error(`no kind ${name}`);
  return kind;
}

/** The address in some region or location. */
function inPlace(baseUrl: string): string {
  return baseUrl.replace(/\{(?:region|location)\}/, 'europe-west1');
}

t.test('every kind is well formed', async (t) => {
  t.strictSame([...PROVIDER_KINDS.keys()], EXPECTED);
  for (const [name, kind] of PROVIDER_KINDS) {
    t.equal(kind.kind, name);
    t.match(name, /^[a-z0-9-]+$/);
    t.ok(kind.title.length > 1, name);
    const chats = [...kind.wires].some(
      (wire) => wire === 'openai-chat' || findTranslation('openai-chat', wire) !== null,
    );
    t.ok(chats || WITHOUT_CHAT.has(name), `${name} serves chat`);
    t.notOk(kind.wires.has('openai-models'), `${name}: the model list is ours`);
    t.ok(
      kind.environment.every((variable) => /^[A-Z][A-Z0-9_]*$/.test(variable)),
      name,
    );
    if (kind.baseUrl === null) continue;
    const url = new URL(inPlace(kind.baseUrl));
    t.notOk(kind.baseUrl.endsWith('/'), `${name}: no trailing slash`);
    t.equal(url.search + url.hash + url.username, '', name);
    t.equal(url.protocol, /^(127|localhost)/.test(url.hostname) ? 'http:' : 'https:', name);
  }
});

t.test('price ids exist in the installed catalogue', async (t) => {
  for (const [name, kind] of PROVIDER_KINDS) {
    if (kind.priceId === null) continue;
    t.equal(findProvider({ providerId: kind.priceId })?.id, kind.priceId, name);
    if (kind.baseUrl !== null) {
      t.equal(
        findProvider({ providerApiUrl: inPlace(kind.baseUrl) })?.id,
        kind.priceId,
        `${name}: its address says the same`,
      );
    }
  }
  for (const [providerId, model] of [
    ['openai', 'gpt-4o-mini'],
    ['azure', 'gpt-4o-mini'],
    ['deepseek', 'deepseek-chat'],
    ['groq', 'llama-3.3-70b-versatile'],
    ['anthropic', 'claude-sonnet-4-5'],
  ] as const) {
    t.ok(calcPrice({ input_tokens: 1000, output_tokens: 10 }, model, { providerId }), `${providerId}/${model}`);
  }
});

t.test('paths of chat completions', async (t) => {
  const cases: readonly (readonly [kind: string, baseUrl: string | null, path: string])[] = [
    ['openai', null, '/v1/chat/completions'],
    ['deepseek', null, '/chat/completions'],
    ['qwen', null, '/compatible-mode/v1/chat/completions'],
    ['moonshot', null, '/v1/chat/completions'],
    ['zhipu', null, '/api/paas/v4/chat/completions'],
    ['zhipu', 'https://open.bigmodel.cn/api/paas/v4', '/api/paas/v4/chat/completions'],
    ['groq', null, '/openai/v1/chat/completions'],
    ['openrouter', null, '/api/v1/chat/completions'],
    ['fireworks', null, '/inference/v1/chat/completions'],
    ['perplexity', null, '/chat/completions'],
    ['github', null, '/inference/chat/completions'],
    ['huggingface', 'https://router.huggingface.co/groq/v1', '/groq/v1/chat/completions'],
    ['cohere', null, '/compatibility/v1/chat/completions'],
    ['cohere', 'http://10.0.0.1:9000/proxy/v2', '/proxy/compatibility/v1/chat/completions'],
    ['openai-compatible', 'http://10.0.0.1:9000', '/chat/completions'],
    ['openai-compatible', 'http://10.0.0.1:9000/deep/er/v1', '/deep/er/v1/chat/completions'],
    ['mock', 'http://127.0.0.1:1234/v1', '/v1/chat/completions'],
    ['azure-openai', 'https://acme.openai.azure.com/openai/v1', '/openai/v1/chat/completions'],
  ];
  for (const [name, baseUrl, path] of cases) {
    const kind = kindOf(name);
    t.equal(
      kind.path(account(baseUrl ?? kind.baseUrl ?? ''), { endpoint: CHAT, model: 'some/model', stream: false }),
      path,
      `${name} ${baseUrl ?? ''}`,
    );
  }
});

t.test('paths are those of recorded calls', { skip: NO_RECORDINGS }, async (t) => {
  const named = new Map([['zai', 'zhipu']]);
  // The others were recorded at addresses of their own, or by clients that write paths otherwise.
  const asRecorded = ['openai', 'deepseek', 'zhipu', 'moonshot', 'mistral', 'groq', 'openrouter', 'xai', 'cerebras'];
  const recorded = Map.groupBy(openaiRecordings(), ({ provider }) => named.get(provider) ?? provider);
  for (const name of [...asRecorded, 'crusoe']) {
    const kind = kindOf(name);
    const call = { endpoint: CHAT, model: 'm', stream: false };
    const paths = recorded.get(name)?.map(({ path }) => path) ?? [];
    t.ok(paths.includes(kind.path(account(kind.baseUrl ?? ''), call)), name);
  }
});

t.test('paths of embeddings and rerank', async (t) => {
  const cases: readonly (readonly [kind: string, wire: Wire, path: string])[] = [
    ['cohere', 'cohere-embed', '/v2/embed'],
    ['cohere', 'rerank', '/v2/rerank'],
    ['jina', 'openai-embeddings', '/v1/embeddings'],
    ['jina', 'jina-rerank', '/v1/rerank'],
    ['voyage', 'voyage-embed', '/v1/embeddings'],
    ['voyage', 'voyage-rerank', '/v1/rerank'],
  ];
  for (const [name, wire, path] of cases) {
    const kind = kindOf(name);
    t.ok(kind.wires.has(wire), `${name} serves ${wire}`);
    const call = { endpoint: endpointOfWire(wire), model: 'm', stream: false };
    t.equal(kind.path(account(kind.baseUrl ?? ''), call), path, `${name} ${wire}`);
  }
});

t.test('vendors that may not know base64 are asked for numbers', async (t) => {
  const mended = [...PROVIDER_KINDS.values()].filter((kind) => kind.rewrites?.has('openai-embeddings'));
  for (const kind of mended) t.ok(kind.wires.has('openai-embeddings'), kind.kind);
  for (const name of ['ollama', 'openai-compatible', 'jina'])
    t.ok(kindOf(name).rewrites?.has('openai-embeddings'), name);
  for (const name of ['openai', 'azure-openai', 'vllm', 'mock']) t.notOk(kindOf(name).rewrites, name);
  for (const { kind, rewrites } of PROVIDER_KINDS.values())
    for (const wire of rewrites ?? []) t.ok(findTranslation(wire, wire), `${kind}: ${wire} to itself`);
});

t.test('Anthropic', async (t) => {
  const kind = kindOf('anthropic');
  t.strictSame(kind.credential, { header: 'x-api-key', prefix: '' });
  const call = (wire: Wire) => ({ endpoint: endpointOfWire(wire), model: 'claude-x', stream: true });
  const path = (wire: Wire, base = kind.baseUrl ?? '') => kind.path(account(base), call(wire));
  t.equal(path('anthropic-messages'), '/v1/messages');
  t.equal(path('anthropic-count-tokens'), '/v1/messages/count_tokens');
  t.equal(path('anthropic-messages', 'https://api.deepseek.com/anthropic/v1'), '/anthropic/v1/messages');
  const version = (sent: string) => kind.callHeaders?.(call('anthropic-messages'), () => sent);
  t.strictSame(version(''), { 'anthropic-version': '2023-06-01' });
  t.strictSame(version('2099-01-01'), { 'anthropic-version': '2099-01-01' }, "the client's own stands");
});

t.test('dated Azure paths', async (t) => {
  const azure = kindOf('azure-openai');
  t.same(azure.credential, { header: 'api-key', prefix: '' });
  const dated = account('https://acme.openai.azure.com', { apiVersion: '2024-10-21' });
  const path = (model: string, to: Endpoint = CHAT): string =>
    azure.path(dated, { endpoint: to, model, stream: false });
  t.equal(path('gpt-4o'), '/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21');
  t.equal(path('a b/c?d#e'), '/openai/deployments/a%20b%2Fc%3Fd%23e/chat/completions?api-version=2024-10-21');
  t.equal(path('m', endpoint('/responses', 'openai-responses')), '/openai/responses?api-version=2024-10-21');
  const withPath = account('https://acme.openai.azure.com/openai', { apiVersion: 'a&b' });
  t.equal(
    azure.path(withPath, { endpoint: CHAT, model: 'm', stream: false }),
    '/openai/deployments/m/chat/completions?api-version=a%26b',
  );
  for (const hostile of ['..', '.', '../../x', '\ud800', '%2e%2e']) {
    const resolved = new URL(`http://h${path(hostile)}`).pathname;
    t.match(resolved, /^\/openai\/deployments\/[^/]+\/chat\/completions$/, JSON.stringify(hostile));
  }
});

import t from 'tap';
import type { ProviderAccount } from '../../src/config/snapshot.js';
import type { Wire } from '../../src/dialects/endpoint.js';
import { endpointOfWire } from '../../src/dialects/endpoints.js';
import { isObject, type JsonObject, objectIn, parseJson, stringIn } from '../../src/dialects/json-value.js';
import { Losses } from '../../src/dialects/translate/losses.js';
import { findTranslation } from '../../src/dialects/translate/registry.js';
import { bedrock } from '../../src/providers/bedrock.js';
import type { UpstreamCall } from '../../src/providers/kind.js';
import { allRecordings, NO_RECORDINGS } from '../dialects/recordings.js';
import { contextFor } from '../dialects/translate/converse-calls.js';

const ACCOUNT: ProviderAccount = {
  name: 'p',
  kind: 'bedrock',
  baseUrl: 'https://bedrock-runtime.eu-central-1.amazonaws.com',
  credentials: [],
  headers: {},
  apiVersion: null,
  probeMs: null,
  region: 'eu-central-1',
};
const CLAUDE = 'eu.anthropic.claude-haiku-4-5-20251001-v1:0';
const PROFILE =
  'arn:aws:bedrock:eu-central-1:123456789012:inference-profile/eu.anthropic.claude-haiku-4-5-20251001-v1:0';
const none = (_name: string): string => '';

function call(wire: Wire, model: string, stream = false): UpstreamCall {
  return { endpoint: endpointOfWire(wire), model, stream };
}

t.test('paths', async (t) => {
  const path = (wire: Wire, model: string, stream = false) => bedrock.path(ACCOUNT, call(wire, model, stream));
  const id = 'eu.anthropic.claude-haiku-4-5-20251001-v1%3A0';
  t.equal(path('bedrock-converse', CLAUDE), `/model/${id}/converse`);
  t.equal(path('bedrock-converse', CLAUDE, true), `/model/${id}/converse-stream`);
  t.equal(path('anthropic-messages', CLAUDE), `/model/${id}/invoke`);
  t.equal(path('anthropic-messages', CLAUDE, true), `/model/${id}/invoke-with-response-stream`);
  t.equal(path('bedrock-embed', 'cohere.embed-english-v3'), '/model/cohere.embed-english-v3/invoke');
  t.equal(
    path('bedrock-count-tokens', CLAUDE),
    `/model/${id.slice(3)}/count-tokens`,
    'counting refuses inference profiles',
  );
  t.equal(
    path('bedrock-converse', PROFILE),
    `/model/arn%3Aaws%3Abedrock%3Aeu-central-1%3A123456789012%3Ainference-profile%2F${id}/converse`,
  );
  for (const hostile of ['..', '.', '../x', '\ud800', 'a b?c#d', 'a%2Fb'])
    t.match(path('bedrock-converse', hostile), /^\/model\/[^/?#\s]+\/converse$/, JSON.stringify(hostile));
  const proxied = { ...ACCOUNT, baseUrl: 'http://127.0.0.1:9000/aws/' };
  t.equal(bedrock.path(proxied, call('bedrock-converse', 'm')), '/aws/model/m/converse');
});

t.test('which models are asked in which wires', async (t) => {
  const served = (model: string) => [...bedrock.wires].filter((wire) => bedrock.serves?.(wire, model));
  const claude = ['bedrock-converse', 'anthropic-messages', 'bedrock-count-tokens'];
  t.same(served(CLAUDE), claude);
  t.same(served(PROFILE), claude);
  t.same(served('anthropic.claude-v2'), claude);
  t.same(served('us.amazon.nova-lite-v1:0'), ['bedrock-converse']);
  t.same(served('custom.my-claude-like'), ['bedrock-converse']);
  for (const model of [
    'amazon.titan-embed-text-v2:0',
    'cohere.embed-multilingual-v3',
    'amazon.nova-2-multimodal-embeddings-v1:0',
  ])
    t.same(served(model), ['bedrock-embed'], model);
});

t.test('trap 31: what Claude’s own dialect needs on Bedrock', async (t) => {
  const envelope = (wire: Wire, sent = none) => bedrock.envelope?.(call(wire, CLAUDE, true), sent);
  const version = { anthropic_version: 'bedrock-2023-05-31' };
  t.same(envelope('anthropic-messages'), { set: version, remove: ['model', 'stream'] });
  t.equal(envelope('bedrock-converse'), null);
  const sent = (name: string) =>
    name === 'anthropic-beta' ? 'claude-code-20250219, interleaved-thinking-2025-05-14 ,context-1m-2025-08-07' : '';
  t.same(envelope('anthropic-messages', sent)?.set, {
    ...version,
    anthropic_beta: ['interleaved-thinking-2025-05-14', 'context-1m-2025-08-07'],
  });
  t.same(envelope('anthropic-messages', () => 'claude-code-20250219')?.set, version, 'no beta that it knows');
});

function count(request: JsonObject) {
  const translation = findTranslation('anthropic-count-tokens', 'bedrock-count-tokens');
  if (translation === null) throw new Error('no translation');
  const losses = new Losses();
  const prepared = translation.prepare(request, contextFor(CLAUDE, { losses }));
  const body = stringIn(objectIn(objectIn(prepared.body, 'input'), 'invokeModel'), 'body') ?? '';
  return { ...prepared, inner: parseJson(Buffer.from(body, 'base64').toString('utf8')), losses };
}

t.test('counting tokens', async (t) => {
  const request = {
    model: 'x',
    messages: [{ role: 'user', content: 'Grüße' }],
    thinking: { type: 'enabled', budget_tokens: 2000 },
  };
  const { inner, answer, losses } = count(request);
  const { model: _, ...rest } = request;
  t.same(inner, { anthropic_version: 'bedrock-2023-05-31', max_tokens: 6096, ...rest });
  t.same(answer({ inputTokens: 12 }), { input_tokens: 12 });
  t.same(answer({}), { input_tokens: 0 });
  t.same(losses.dropped, []);
});

t.test('counting asks as a recorded client did', { skip: NO_RECORDINGS }, async (t) => {
  const recorded = allRecordings().filter(({ wire }) => wire === 'bedrock-count-tokens');
  t.equal(recorded.length, 2);
  for (const { id, request } of recorded) {
    const asked = isObject(request) ? request : {};
    const body = stringIn(objectIn(objectIn(asked, 'input'), 'invokeModel'), 'body') ?? '';
    const inner = parseJson(Buffer.from(body, 'base64').toString('utf8'));
    if (!isObject(inner)) throw new Error(id);
    const { anthropic_version: _, ...plain } = inner;
    t.same(count(plain).inner, inner, id);
  }
});

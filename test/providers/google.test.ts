import t from 'tap';
import type { ProviderAccount } from '../../src/config/snapshot.js';
import type { Endpoint, Wire } from '../../src/dialects/endpoint.js';
import { endpointOfWire, matchEndpoint } from '../../src/dialects/endpoints.js';
import { gemini } from '../../src/providers/gemini.js';
import type { UpstreamCall } from '../../src/providers/kind.js';
import { vertex } from '../../src/providers/vertex.js';

function account(baseUrl: string): ProviderAccount {
  return {
    name: 'p',
    kind: 'p',
    baseUrl,
    credentials: [],
    headers: {},
    apiVersion: null,
    probeMs: null,
    project: 'acme',
    location: 'europe-west1',
  };
}

const STUDIO = account('https://generativelanguage.googleapis.com/v1beta');
const VERTEX = account('https://europe-west1-aiplatform.googleapis.com');
const PLACE = '/v1/projects/acme/locations/europe-west1/publishers';

function call(wire: Wire, model: string, stream = false): UpstreamCall {
  return { endpoint: endpointOfWire(wire), model, stream };
}

/** A Google client's own call. */
function native(path: string): Endpoint {
  const endpoint = matchEndpoint('POST', path);
  if (endpoint === null) throw new Error(path);
  return endpoint;
}

t.test('paths of the Gemini API', async (t) => {
  const path = (wire: Wire, model: string, stream = false) => gemini.path(STUDIO, call(wire, model, stream));
  t.equal(path('gemini-generate', 'gemini-2.5-pro'), '/v1beta/models/gemini-2.5-pro:generateContent');
  t.equal(path('gemini-generate', 'm', true), '/v1beta/models/m:streamGenerateContent?alt=sse');
  t.equal(path('gemini-generate', 'models/m'), '/v1beta/models/m:generateContent');
  t.equal(path('gemini-generate', 'tunedModels/m'), '/v1beta/tunedModels/m:generateContent');
  t.equal(path('gemini-count-tokens', 'm'), '/v1beta/models/m:countTokens');
  t.equal(path('gemini-embed', 'gemini-embedding-001'), '/v1beta/models/gemini-embedding-001:batchEmbedContents');
  const asked = (google: string, stream: boolean) =>
    gemini.path(STUDIO, { endpoint: native(google), model: 'm', stream });
  t.equal(asked('/v1beta/models/x:embedContent', false), '/v1beta/models/m:embedContent');
  t.equal(asked('/v1beta/models/x:streamGenerateContent', true), '/v1beta/models/m:streamGenerateContent', 'an array');
  t.equal(
    asked('/v1beta/models/x:streamGenerateContent?alt=sse', true),
    '/v1beta/models/m:streamGenerateContent?alt=sse',
  );
  for (const hostile of ['..', '.', '../../x', '\ud800', 'a b?c#d', 'm:predict', 'models/..'])
    t.match(path('gemini-generate', hostile), /^\/v1beta\/models\/[^/?#\s]+:generateContent$/, JSON.stringify(hostile));
});

t.test('paths of Vertex AI', async (t) => {
  const path = (wire: Wire, model: string, stream = false) => vertex.path(VERTEX, call(wire, model, stream));
  t.equal(path('gemini-generate', 'gemini-2.5-pro'), `${PLACE}/google/models/gemini-2.5-pro:generateContent`);
  t.equal(path('gemini-generate', 'm', true), `${PLACE}/google/models/m:streamGenerateContent?alt=sse`);
  t.equal(path('gemini-count-tokens', 'm'), `${PLACE}/google/models/m:countTokens`);
  t.equal(path('vertex-predict', 'text-embedding-005'), `${PLACE}/google/models/text-embedding-005:predict`);
  t.equal(path('vertex-predict', 'gemini-embedding-2'), `${PLACE}/google/models/gemini-embedding-2:embedContent`);
  const claude = 'claude-sonnet-4-5@20250929';
  t.equal(path('anthropic-messages', claude), `${PLACE}/anthropic/models/${claude}:rawPredict`);
  t.equal(path('anthropic-messages', claude, true), `${PLACE}/anthropic/models/${claude}:streamRawPredict`);
  t.equal(path('anthropic-count-tokens', claude), `${PLACE}/anthropic/models/count-tokens:rawPredict`);
  const beta = account('http://127.0.0.1:1234/v1beta1');
  t.match(vertex.path(beta, call('gemini-generate', 'm')), /^\/v1beta1\/projects\/acme\//);
});

t.test('Vertex AI asks each family in its own dialect', async (t) => {
  const served = (model: string) => [...vertex.wires].filter((wire) => vertex.serves?.(wire, model) ?? true);
  t.same(served('claude-opus-4-5'), ['anthropic-messages', 'anthropic-count-tokens']);
  t.same(served('gemini-2.5-pro'), ['gemini-generate', 'gemini-count-tokens', 'vertex-predict']);
  t.ok(served('gemini-embedding-2').includes('gemini-embed'));
});

t.test('what Claude on Vertex AI wants to have', async (t) => {
  const none = (): string => '';
  const envelope = { set: { anthropic_version: 'vertex-2023-10-16' }, remove: ['model'] };
  t.same(vertex.envelope?.(call('anthropic-messages', 'claude-x'), none), envelope);
  t.same(vertex.envelope?.(call('anthropic-count-tokens', 'claude-x'), none)?.remove, [], 'the model to count for');
  t.equal(vertex.envelope?.(call('gemini-generate', 'gemini-x'), none), null);
});

t.test('trap 31: betas that Vertex AI does not know are not sent', async (t) => {
  const sent = (betas: string, wire: Wire = 'anthropic-messages') =>
    vertex.callHeaders?.(call(wire, 'claude-x'), (name) => (name === 'anthropic-beta' ? betas : ''));
  const asked =
    'claude-code-20250219, interleaved-thinking-2025-05-14,advanced-tool-use-2025-11-20,tool-search-tool-2025-10-19';
  t.same(sent(asked), { 'anthropic-beta': 'interleaved-thinking-2025-05-14,tool-search-tool-2025-10-19' });
  t.same(sent('claude-code-20250219'), { 'anthropic-beta': '' }, 'takes the header away');
  t.same(sent(''), {});
  t.same(sent(asked, 'gemini-generate'), {});
});

import t from 'tap';
import type { ProviderAccount } from '../../../src/config/snapshot.js';
import type { Wire } from '../../../src/dialects/endpoint.js';
import { endpointOfWire } from '../../../src/dialects/endpoints.js';
import type { JsonObject } from '../../../src/dialects/json-value.js';
import { createResponseReader } from '../../../src/dialects/readers.js';
import type { ResponseFacts } from '../../../src/dialects/response-reader.js';
import { startMock } from '../../../src/mock/start-mock.js';
import type { ProviderKind } from '../../../src/providers/kind.js';
import { PROVIDER_KINDS } from '../../../src/providers/registry.js';
import { prepare } from './unary-goldens.js';

const mock = await startMock({ host: '127.0.0.1', port: 0 });
const origin = `http://127.0.0.1:${mock.address.port}`;
t.teardown(() => mock.close());

interface Called {
  /** What the provider was asked and the client reads. */
  readonly read: JsonObject;
  /** What is booked. */
  readonly facts: ResponseFacts;
}

/** One request by the kind's own path, to the mock in the place of the provider. */
async function call(
  to: { readonly kind: ProviderKind; readonly from: Wire; readonly wire: Wire },
  model: string,
  request: JsonObject,
): Promise<Called> {
  const { kind, from, wire } = to;
  const account: ProviderAccount = {
    name: 'p',
    kind: kind.kind,
    baseUrl: origin + pathOf(kind.baseUrl),
    credentials: [],
    headers: {},
    apiVersion: null,
    probeMs: null,
    region: 'eu-central-1',
    project: 'p',
    location: 'l',
  };
  const prepared = prepare(from, wire, { model, request });
  const path = kind.path(account, { endpoint: endpointOfWire(wire), model, stream: false });
  const answer = await fetch(origin + path, { method: 'POST', body: JSON.stringify(prepared.body) });
  const text = await answer.text();
  if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${text}`);
  const reader = createResponseReader(wire, { stream: false, contentType: 'application/json' });
  reader.push(Buffer.from(text));
  reader.end();
  const read = prepared.answer(JSON.parse(text) as JsonObject, (name) => answer.headers.get(name) ?? undefined);
  return { read, facts: reader.facts };
}

function pathOf(baseUrl: string | null): string {
  return new URL((baseUrl ?? 'http://h').replace(/[{}]/g, '')).pathname.replace(/\/$/, '');
}

const EMBEDDERS: readonly (readonly [kind: string, wire: Wire, model: string, texts: number])[] = [
  ['gemini', 'gemini-embed', 'gemini-embedding-001+embed', 2],
  ['vertex', 'vertex-predict', 'text-embedding-005+embed', 2],
  ['vertex', 'vertex-predict', 'gemini-embedding-001+embed', 1],
  ['vertex', 'vertex-predict', 'gemini-embedding-2+embed', 1],
  ['bedrock', 'bedrock-embed', 'amazon.titan-embed-text-v2:0+embed', 1],
  ['bedrock', 'bedrock-embed', 'eu.cohere.embed-v4:0+embed', 2],
  ['bedrock', 'bedrock-embed', 'amazon.nova-2-multimodal-embeddings-v1:0+embed', 1],
  ['cohere', 'cohere-embed', 'embed-v4.0+embed', 2],
  ['voyage', 'voyage-embed', 'voyage-3.5+embed', 2],
  ['jina', 'openai-embeddings', 'jina-embeddings-v4+embed', 2],
];

t.test("every provider's request is one that it takes, and vectors come back in both formats", async (t) => {
  for (const [name, wire, model, texts] of EMBEDDERS) {
    const kind = PROVIDER_KINDS.get(name);
    if (kind === undefined) throw new Error(`no kind ${name}`);
    t.ok(kind.wires.has(wire) && (kind.serves?.(wire, model) ?? true), `${name} serves ${model}`);
    const to = { kind, from: 'openai-embeddings' as const, wire };
    const request = { model, input: ['one two three', 'four'].slice(0, texts), dimensions: 256 };
    const plain = await call(to, model, request);
    const packed = await call(to, model, { ...request, encoding_format: 'base64' });
    const vectors = plain.read['data'] as readonly { embedding: readonly number[] }[];
    t.equal(vectors.length, texts, model);
    for (const [at, { embedding }] of vectors.entries()) {
      t.equal(embedding.length, 256, model);
      const { embedding: text } = (packed.read['data'] as readonly { embedding: string }[])[at] ?? { embedding: '' };
      const bytes = Buffer.from(text, 'base64');
      t.strictSame(
        Array.from({ length: bytes.length / 4 }, (_, index) => bytes.readFloatLE(index * 4)),
        embedding.map(Math.fround),
        model,
      );
    }
    const tokens = texts === 2 ? 4 : 3;
    t.same(plain.read['usage'], { prompt_tokens: tokens, total_tokens: tokens }, model);
    const inHeaders = /cohere\.|nova/.test(model);
    t.equal(plain.facts.usage?.input ?? null, inHeaders ? null : tokens, model);
  }
});

t.test('rerank by Cohere, Jina and Voyage', async (t) => {
  const documents = ['Berlin is in Germany.', { text: 'Paris is in France.', id: 7 }, 'Bananas are yellow.'];
  const request = { model: 'chat', query: 'Where is Paris?', documents, top_n: 1, return_documents: true };
  for (const [name, wire] of [
    ['cohere', 'rerank'],
    ['jina', 'jina-rerank'],
    ['voyage', 'voyage-rerank'],
  ] as const) {
    const kind = PROVIDER_KINDS.get(name);
    if (kind === undefined) throw new Error(`no kind ${name}`);
    const { read, facts } = await call({ kind, from: 'rerank', wire }, 'chat', request);
    t.match(
      read['results'],
      [{ index: 1, relevance_score: 0.667, document: { text: 'Paris is in France.', id: 7 } }],
      name,
    );
    t.equal((read['results'] as unknown[]).length, 1, name);
    const billed = (read['meta'] as { billed_units: object }).billed_units;
    if (name === 'cohere') t.same([billed, facts.usage?.search_units], [{ search_units: 1 }, 1]);
    else t.same(billed, { input_tokens: facts.usage?.input }, name);
  }
});

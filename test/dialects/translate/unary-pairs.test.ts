import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import t from 'tap';
import type { Wire } from '../../../src/dialects/endpoint.js';
import type { JsonObject } from '../../../src/dialects/json-value.js';
import { allTranslations } from '../../../src/dialects/translate/registry.js';
import { assertValid } from '../../schemas/openai-schema.js';
import { allRecordings, NO_RECORDINGS } from '../recordings.js';
import { goldensOf, prepare, run } from './unary-goldens.js';

const PAIRS: readonly (readonly [pair: string, from: Wire, to: Wire, model: string])[] = [
  ['embeddings-to-gemini', 'openai-embeddings', 'gemini-embed', 'gemini-embedding-001'],
  ['embeddings-to-vertex', 'openai-embeddings', 'vertex-predict', 'text-embedding-005'],
  ['embeddings-to-cohere', 'openai-embeddings', 'cohere-embed', 'embed-v4.0'],
  ['embeddings-to-bedrock', 'openai-embeddings', 'bedrock-embed', 'cohere.embed-v4:0'],
  ['embeddings-to-voyage', 'openai-embeddings', 'voyage-embed', 'voyage-3.5'],
  ['embeddings-to-embeddings', 'openai-embeddings', 'openai-embeddings', 'nomic-embed-text'],
  ['images-to-vertex', 'openai-images', 'vertex-predict', 'imagen-4.0-generate-001'],
  ['rerank-to-jina', 'rerank', 'jina-rerank', 'jina-reranker-v3'],
  ['rerank-to-voyage', 'rerank', 'voyage-rerank', 'rerank-2.5'],
  ['rerank-to-rerank', 'rerank', 'rerank', 'rerank-v3.5'],
];

const FROM: ReadonlySet<Wire> = new Set(['openai-embeddings', 'openai-images', 'rerank']);
const EMBED = PAIRS.filter(([, from]) => from === 'openai-embeddings');

for (const [pair, from, to] of PAIRS) {
  t.test(`${pair}: goldens`, async (t) => {
    for (const [name, golden] of goldensOf(pair, from, to)) {
      const result = run(from, to, golden);
      t.strictSame(result, golden, name);
      if (from === 'openai-embeddings' && result.read && result.request['encoding_format'] !== 'base64')
        t.doesNotThrow(() => assertValid('CreateEmbeddingResponse', result.read), name);
    }
  });
}

t.test('every pair of these endpoints is tested here', async (t) => {
  const written = allTranslations().filter(({ from }) => FROM.has(from));
  t.same(written.map(({ from, to }) => `${from} ${to}`).sort(), PAIRS.map(([, from, to]) => `${from} ${to}`).sort());
});

/** Any answer of the target with these vectors. */
const ANSWERS: Readonly<Partial<Record<Wire, (vectors: readonly (readonly number[])[]) => JsonObject>>> = {
  'gemini-embed': (vectors) => ({ embeddings: vectors.map((values) => ({ values })) }),
  'vertex-predict': (vectors) => ({ predictions: vectors.map((values) => ({ embeddings: { values } })) }),
  'cohere-embed': (vectors) => ({ embeddings: { float: vectors } }),
  'bedrock-embed': (vectors) => ({ embeddings: { float: vectors } }),
  'voyage-embed': (vectors) => ({ data: vectors.map((embedding) => ({ embedding })) }),
  'openai-embeddings': (vectors) => ({ data: vectors.map((embedding) => ({ embedding })) }),
};

interface Item {
  readonly index: number;
  readonly embedding: string | readonly number[];
}

t.test('base64 holds the same numbers as 32-bit floats, in order', async (t) => {
  const vector = fc.array(fc.double({ noNaN: true, min: -1e30, max: 1e30 }), { minLength: 1, maxLength: 40 });
  for (const [pair, from, to, model] of EMBED) {
    const holds = fc.property(fc.array(vector, { minLength: 1, maxLength: 5 }), (vectors) => {
      const input = vectors.map((_, index) => `text ${index}`);
      const read = (encoding_format: string): readonly Item[] =>
        prepare(from, to, { model, request: { model, input, encoding_format } }).answer(ANSWERS[to]?.(vectors) ?? {})[
          'data'
        ] as readonly Item[];
      const packed = read('base64').map(({ embedding }) => floatsOf(String(embedding)));
      const plain = read('float');
      return isDeepStrictEqual(
        [packed, plain.map(({ embedding }) => embedding), plain.map(({ index }) => index)],
        [vectors.map((each) => each.map(Math.fround)), vectors, [...vectors.keys()]],
      );
    });
    t.doesNotThrow(() => fc.assert(holds, { numRuns: 30 }), pair);
  }
});

function floatsOf(text: string): readonly number[] {
  const bytes = Buffer.from(text, 'base64');
  return Array.from({ length: bytes.length / 4 }, (_, index) => bytes.readFloatLE(index * 4));
}

t.test('no answer makes them throw, and usage is always stated', async (t) => {
  const names = 'embedding embeddings values data predictions results float usage meta statistics index total_tokens';
  const key = fc.constantFrom(...names.split(' '));
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 5 },
      fc.constantFrom(null, true, 'text', '', -1, 1e300, 0.5, 3),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(key, tie('value'), { maxKeys: 4, noNullPrototype: true }),
    ),
  }));
  const answer = fc.dictionary(key, value, { noNullPrototype: true });
  for (const [pair, from, to, model] of PAIRS) {
    const request = {
      model,
      input: ['a', 'b'],
      query: 'q',
      documents: ['a', 'b'],
      prompt: 'p',
      encoding_format: 'base64',
    };
    const call = prepare(from, to, { model, request });
    fc.assert(
      fc.property(answer, (body) => {
        const read = call.answer(body as JsonObject);
        return from === 'openai-embeddings'
          ? typeof (read['usage'] as JsonObject)['prompt_tokens'] === 'number'
          : Array.isArray(read[from === 'rerank' ? 'results' : 'data']);
      }),
      { numRuns: 60 },
    );
    t.throws(() => call.stream(), /no streams/, pair);
  }
});

t.test('too many texts are refused in words', async (t) => {
  const most: Readonly<Partial<Record<Wire, number>>> = {
    'gemini-embed': 100,
    'vertex-predict': 250,
    'cohere-embed': 96,
    'bedrock-embed': 96,
  };
  for (const [pair, from, to, model] of EMBED) {
    const ask = (count: number) => (): unknown =>
      prepare(from, to, { model, request: { model, input: Array(count).fill('a') } });
    const bound = most[to];
    t.doesNotThrow(ask(bound ?? 1000), pair);
    if (bound !== undefined) t.throws(ask(bound + 1), { code: 'unsupported_parameter', param: 'input' }, pair);
  }
});

t.test('recorded answers are read', { skip: NO_RECORDINGS }, async (t) => {
  const models: Readonly<Partial<Record<Wire, string>>> = {
    'gemini-embed': 'gemini-embedding-001',
    'vertex-predict': 'gemini-embedding-001',
  };
  let seen = 0;
  for (const { id, endpoint, wire, status, bytes } of allRecordings()) {
    const model = endpoint === 'gemini.embedContent' ? 'gemini-embedding-2' : models[wire];
    if (status !== 200 || model === undefined) continue;
    seen += 1;
    const to = endpoint === 'gemini.embedContent' ? 'vertex-predict' : wire;
    const request = { model, input: 'a', encoding_format: 'float' };
    const read = prepare('openai-embeddings', to, { model, request }).answer(
      JSON.parse(bytes.toString()) as JsonObject,
    );
    t.doesNotThrow(() => assertValid('CreateEmbeddingResponse', read), id);
    t.ok(
      (read['data'] as readonly { embedding: unknown[] }[]).every(({ embedding }) => embedding.length >= 768),
      id,
    );
  }
  t.equal(seen, 3);
});

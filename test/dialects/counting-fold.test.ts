import t from 'tap';
import { bedrockHeaderUsage } from '../../src/dialects/bedrock-embed/usage.js';
import type { Wire } from '../../src/dialects/endpoint.js';
import { createResponseReader } from '../../src/dialects/readers.js';
import type { ResponseFacts } from '../../src/dialects/response-reader.js';
import { emptyUsage, type Usage } from '../../src/dialects/usage.js';
import { allRecordings, cuttings, NO_RECORDINGS } from './recordings.js';

function read(wire: Wire, chunks: readonly Buffer[]): ResponseFacts {
  const reader = createResponseReader(wire, { stream: false, contentType: 'application/json' });
  for (const chunk of chunks) reader.push(Buffer.from(chunk));
  reader.end();
  return reader.facts;
}

const VECTOR = [0.1, 0.2];
const usage = (stated: Partial<Usage>): Usage => ({ ...emptyUsage(), ...stated });

const CASES: readonly (readonly [name: string, wire: Wire, body: unknown, usage: Usage | null])[] = [
  ['Gemini states nothing', 'gemini-embed', { embeddings: [{ values: VECTOR }] }, null],
  [
    'Gemini by modality',
    'gemini-embed',
    {
      usageMetadata: {
        promptTokenCount: 300,
        promptTokenDetails: [
          { modality: 'TEXT', tokenCount: 42 },
          { modality: 'IMAGE', tokenCount: 258 },
        ],
      },
    },
    usage({ input: 42, input_image: 258 }),
  ],
  [
    'a detail above its whole is cut to it',
    'gemini-embed',
    { usageMetadata: { promptTokenCount: 3, promptTokensDetails: [{ modality: 'AUDIO', tokenCount: 9 }] } },
    usage({ input_audio: 3 }),
  ],
  [
    'Vertex by text',
    'vertex-predict',
    { predictions: [4, 3].map((token_count) => ({ embeddings: { statistics: { token_count }, values: VECTOR } })) },
    usage({ input: 7 }),
  ],
  [
    'Imagen by image, without those that were held back',
    'vertex-predict',
    { predictions: [{ bytesBase64Encoded: 'aGk=' }, { raiFilteredReason: 'x' }, { bytesBase64Encoded: 'aGk=' }] },
    usage({ images: 2 }),
  ],
  ['Titan', 'bedrock-embed', { embedding: VECTOR, inputTextTokenCount: 9 }, usage({ input: 9 })],
  ['Cohere on Bedrock states nothing', 'bedrock-embed', { embeddings: [VECTOR] }, null],
  ['Cohere by tokens', 'cohere-embed', { meta: { billed_units: { input_tokens: 5 } } }, usage({ input: 5 })],
  [
    'Cohere by image tokens',
    'cohere-embed',
    { meta: { billed_units: { images: 1, image_tokens: 1000 } } },
    usage({ input_image: 1000 }),
  ],
  [
    'Cohere bills units, not the tokens it read',
    'rerank',
    { meta: { billed_units: { search_units: 2 }, tokens: { input_tokens: 900 } } },
    usage({ search_units: 2 }),
  ],
  ['Jina', 'jina-rerank', { usage: { total_tokens: 38 } }, usage({ input: 38 })],
  ['Voyage', 'voyage-rerank', { usage: { total_tokens: 26 } }, usage({ input: 26 })],
  ["Voyage's embeddings", 'voyage-embed', { usage: { total_tokens: 4 } }, usage({ input: 4 })],
  ['nonsense', 'rerank', { meta: { billed_units: { search_units: '2' } } }, null],
];

t.test('usage of answers without text', async (t) => {
  for (const [name, wire, body, expected] of CASES) {
    for (const chunks of cuttings(Buffer.from(JSON.stringify(body)))) {
      const facts = read(wire, chunks);
      t.strictSame(facts.usage, expected, name);
      t.equal(facts.terminal, true, name);
    }
  }
});

t.test('usage of an answer too large to be kept', async (t) => {
  const embeddings = Array.from({ length: 300 }, () => Array.from({ length: 512 }, (_, index) => Math.sin(index)));
  const large: readonly (readonly [Wire, object, Usage])[] = [
    ['gemini-embed', { embeddings, usageMetadata: { promptTokenCount: 8 } }, usage({ input: 8 })],
    ['cohere-embed', { embeddings, meta: { billed_units: { input_tokens: 5 } } }, usage({ input: 5 })],
    ['bedrock-embed', { embeddings, inputTextTokenCount: 6 }, usage({ input: 6 })],
  ];
  for (const [wire, body, expected] of large) {
    const bytes = Buffer.from(JSON.stringify(body));
    t.ok(bytes.length > 1024 * 1024);
    t.strictSame(read(wire, [bytes]).usage, expected, wire);
  }
});

t.test('usage that only the headers of Bedrock state', async (t) => {
  const from = (value?: string): Usage | null =>
    bedrockHeaderUsage((name) => (name === 'x-amzn-bedrock-input-token-count' ? value : undefined));
  t.strictSame(from('9'), usage({ input: 9 }));
  for (const value of [undefined, '', '-1', '1.5', 'nine', '9'.repeat(20)]) t.equal(from(value), null, String(value));
});

t.test('recorded answers', { skip: NO_RECORDINGS }, async (t) => {
  const expected = new Map<string, number | null>([
    ['gemini-batchembedcontents-text-01', null],
    ['vertex-embedcontent-text-01', 11],
    ['vertex-predict-text-01', 4],
  ]);
  for (const recording of allRecordings().filter(({ id }) => expected.has(id))) {
    const input = read(recording.wire, [recording.bytes]).usage?.input ?? null;
    t.equal(input, expected.get(recording.id), recording.id);
    expected.delete(recording.id);
  }
  t.equal(expected.size, 0, 'all of them are there');
});

import t from 'tap';
import { countTokens } from '../../src/codec/word-pieces.js';
import { startMock } from '../../src/mock/start-mock.js';

const mock = await startMock({ host: '127.0.0.1', port: 0 });
t.teardown(() => mock.close());

async function post(path: string, body: unknown): Promise<{ status: number; body: unknown }> {
  const url = `http://127.0.0.1:${mock.address.port}${path}`;
  const answer = await fetch(url, { method: 'POST', body: JSON.stringify(body) });
  return { status: answer.status, body: await answer.json() };
}

const DOCUMENTS = ['Berlin is in Germany.', 'Paris is in France.', 'Bananas are yellow.'];
const QUERY = 'Where is Paris?';

t.test('rerank in the shapes of Cohere, Jina and Voyage', async (t) => {
  const asked = { model: 'chat', query: QUERY, documents: DOCUMENTS };
  t.match(await post('/v2/rerank', { ...asked, top_n: 2 }), {
    status: 200,
    body: {
      results: [
        { index: 1, relevance_score: 0.667 },
        { index: 0, relevance_score: 0.333 },
      ],
      meta: { billed_units: { search_units: 1 } },
    },
  });
  const tokens = DOCUMENTS.reduce((sum, text) => sum + countTokens(text) + countTokens(QUERY), 0);
  t.match(await post('/v1/rerank', asked), {
    body: { results: [{ index: 1, document: { text: DOCUMENTS[1] } }, {}, {}], usage: { total_tokens: tokens } },
  });
  t.match(await post('/v1/rerank', { ...asked, top_k: 1 }), {
    body: { data: [{ index: 1, relevance_score: 0.667 }], usage: { total_tokens: tokens } },
  });
  const many = await post('/v2/rerank', { ...asked, documents: Array(101).fill('a') });
  t.match(many.body, { meta: { billed_units: { search_units: 2 } } });
});

t.test('embeddings, chat by the compatibility endpoint, and what is refused', async (t) => {
  const asked = { model: 'embed', texts: ['one two', 'three'], input_type: 'search_document', output_dimension: 4 };
  const embedded = await post('/v2/embed', asked);
  t.match(embedded.body, { embeddings: { float: [[Number], [Number]] }, meta: { billed_units: { input_tokens: 3 } } });
  const messages = [{ role: 'user', content: 'Hi' }];
  t.match(await post('/compatibility/v1/chat/completions', { model: 'echo', messages }), {
    body: { choices: [{ message: { content: 'Hi' } }] },
  });
  for (const [path, body, message] of [
    ['/v2/embed', { ...asked, input_type: undefined }, /input_type/],
    ['/v2/embed', { ...asked, texts: Array(97).fill('a') }, /96/],
    ['/v2/rerank', { model: 'chat', query: 'a', documents: [{ text: 'a' }] }, /strings/],
    ['/v2/rerank', { model: 'chat', documents: ['a'] }, /query/],
    ['/v2/rerank', { model: 'chat', query: 'a', documents: [] }, /empty/],
  ] as const) {
    t.match(await post(path, body), { status: 400, body: { message } }, String(message));
  }
  t.match(await post('/v2/rerank', { model: 'error-429' }), { status: 429, body: { id: String, message: String } });
});

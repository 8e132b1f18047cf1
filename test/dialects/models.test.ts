import Anthropic from '@anthropic-ai/sdk';
import { GoogleGenAI } from '@google/genai';
import OpenAI from 'openai';
import t from 'tap';
import { readModelList } from '../../src/dialects/model-list-body.js';
import {
  anthropicModels,
  googleModels,
  type OfferedModel,
  openAiModels,
  type PageAsk,
} from '../../src/dialects/model-shapes.js';

const offered = (id: string, more: Partial<OfferedModel> = {}): OfferedModel => ({
  id,
  owner: 'openai',
  created: 1_700_000_000,
  title: null,
  contextWindow: null,
  maxOutput: null,
  ...more,
});
const MODELS = [
  offered('smart', { owner: 'tollgate', contextWindow: 200_000 }),
  offered('anthropic/claude-sonnet-4-5', { title: 'Claude Sonnet 4.5', contextWindow: 200_000, maxOutput: 64_000 }),
  offered('openai/gpt-5'),
];
const ALL: PageAsk = { limit: null, pageToken: null, after: null, before: null };
const SEVERAL = Array.from({ length: 2_500 }, (_, index) => offered(`m${index}`));

t.test('what is shown of a model', async (t) => {
  t.same(openAiModels.list(MODELS.slice(1), ALL), {
    object: 'list',
    data: [
      {
        id: 'anthropic/claude-sonnet-4-5',
        object: 'model',
        created: 1_700_000_000,
        owned_by: 'openai',
        context_window: 200_000,
      },
      { id: 'openai/gpt-5', object: 'model', created: 1_700_000_000, owned_by: 'openai' },
    ],
  });
  t.same(anthropicModels.list(MODELS.slice(1), ALL), {
    data: [
      {
        type: 'model',
        id: 'anthropic/claude-sonnet-4-5',
        display_name: 'Claude Sonnet 4.5',
        created_at: '2023-11-14T22:13:20Z',
        max_input_tokens: 200_000,
        max_tokens: 64_000,
        context_window: 200_000,
      },
      {
        type: 'model',
        id: 'openai/gpt-5',
        display_name: 'openai/gpt-5',
        created_at: '2023-11-14T22:13:20Z',
        max_input_tokens: null,
        max_tokens: null,
      },
    ],
    has_more: false,
    first_id: 'anthropic/claude-sonnet-4-5',
    last_id: 'openai/gpt-5',
  });
  t.same(anthropicModels.list([], ALL), { data: [], has_more: false, first_id: null, last_id: null });
  t.same(googleModels.list(MODELS.slice(1, 2), ALL), {
    models: [
      {
        name: 'models/anthropic/claude-sonnet-4-5',
        displayName: 'Claude Sonnet 4.5',
        inputTokenLimit: 200_000,
        outputTokenLimit: 64_000,
        supportedGenerationMethods: ['generateContent', 'streamGenerateContent', 'countTokens'],
      },
    ],
  });
});

t.test('pages', async (t) => {
  const ids = (ask: Partial<PageAsk>) => {
    const { data, has_more } = anthropicModels.list(SEVERAL.slice(0, 5), { ...ALL, ...ask });
    return [(data as readonly { id: string }[]).map(({ id }) => id).join(' '), has_more];
  };
  t.same(ids({ limit: '2' }), ['m0 m1', true]);
  t.same(ids({ limit: '2', after: 'm1' }), ['m2 m3', true]);
  t.same(ids({ limit: '2', after: 'm3' }), ['m4', false]);
  t.same(ids({ limit: '2', before: 'm3' }), ['m1 m2', true]);
  t.same(ids({ limit: '2', before: 'm1' }), ['m0', false]);
  t.same(ids({ limit: 'x', after: 'unknown' }), ['m0 m1 m2 m3 m4', false]);
  t.same(ids({ limit: '-1', before: 'unknown' }), ['m0 m1 m2 m3 m4', false]);
});

/** Answers a client's GET from `SEVERAL`, as the gateway does. */
const answering =
  (answer: (ask: PageAsk) => object): typeof fetch =>
  async (input) => {
    const query = new URL(input instanceof Request ? input.url : String(input)).searchParams;
    const ask = {
      limit: query.get('limit') ?? query.get('pageSize'),
      pageToken: query.get('pageToken'),
      after: query.get('after_id'),
      before: query.get('before_id'),
    };
    return Response.json(answer(ask));
  };

t.test('official clients read every page', async (t) => {
  const openai = new OpenAI({ apiKey: 'x', fetch: answering((ask) => openAiModels.list(SEVERAL, ask)) });
  let count = 0;
  for await (const model of openai.models.list()) count += model.id === `m${count}` ? 1 : 0;
  t.equal(count, SEVERAL.length, 'openai');
  const anthropic = new Anthropic({ apiKey: 'x', fetch: answering((ask) => anthropicModels.list(SEVERAL, ask)) });
  count = 0;
  for await (const model of anthropic.models.list({ limit: 400 })) count += model.id === `m${count}` ? 1 : 0;
  t.equal(count, SEVERAL.length, 'anthropic');
  const original = globalThis.fetch;
  t.teardown(() => {
    globalThis.fetch = original;
  });
  // The client of Google takes no fetch of its own.
  globalThis.fetch = answering((ask) => googleModels.list(SEVERAL, ask));
  const google = new GoogleGenAI({ apiKey: 'x', vertexai: false });
  count = 0;
  for await (const model of await google.models.list({ config: { pageSize: 400, queryBase: true } }))
    count += model.name === `models/m${count}` ? 1 : 0;
  t.equal(count, SEVERAL.length, 'google');
});

t.test("providers' lists", async (t) => {
  const facts = { title: null, contextWindow: null, maxOutput: null };
  const cases: readonly (readonly [name: string, body: unknown, models: readonly object[]])[] = [
    ['OpenAI', { object: 'list', data: [{ id: 'gpt-5', object: 'model' }] }, [{ id: 'gpt-5', ...facts }]],
    [
      'Anthropic',
      { data: [{ type: 'model', id: 'claude-x', display_name: 'Claude X', max_input_tokens: 200_000 }] },
      [{ id: 'claude-x', title: 'Claude X', contextWindow: 200_000, maxOutput: null }],
    ],
    [
      'Google',
      { models: [{ name: 'models/gemini-x', displayName: 'Gemini X', inputTokenLimit: 9, outputTokenLimit: 3 }] },
      [{ id: 'gemini-x', title: 'Gemini X', contextWindow: 9, maxOutput: 3 }],
    ],
    [
      'OpenRouter',
      { data: [{ id: 'a/b', name: 'A B', context_length: 7, top_provider: { max_completion_tokens: 2 } }] },
      [{ id: 'a/b', title: null, contextWindow: 7, maxOutput: 2 }],
    ],
    ['Together', [{ id: 'x', context_length: 0 }], [{ id: 'x', ...facts }]],
    ['twice', { data: [{ id: 'x' }, { id: 'x' }] }, [{ id: 'x', ...facts }]],
    ['rubbish', { data: [null, 1, {}, { id: '' }, { id: 'a\nb' }, { id: 7 }] }, []],
    ['no list', 'x', []],
    ['nothing', undefined, []],
  ];
  for (const [name, body, models] of cases) t.strictSame(readModelList(body, 10), models, name);
  t.equal(readModelList({ data: SEVERAL }, 10).length, 10, 'bounded');
});

/** A provider's own API below `/providers/{name}`: what is metered, who may use it, and what one key may not see of another's. */
import t from 'tap';
import { exchange, type Received } from './client.js';
import {
  anthropicStream,
  anthropicWhole,
  bedrockStream,
  bedrockWhole,
  geminiStream,
  geminiWhole,
  INPUT,
  type StreamScript,
} from './dialect-answers.js';
import { type Gateway, KEY, startGateway } from './harness.js';
import { type Scripted, startScripted, streamScript } from './scripted.js';

const OTHER = 'sk-other-0123456789abcdefghijklmn';
const NARROW = 'sk-narrow-0123456789abcdefghijkl';
const PAYING = 'sk-paying-0123456789abcdefghijkl';
const CHAT_ONLY = 'sk-chatonly-0123456789abcdefghij';
const SECRET = 'secret-of-the-provider-0123456789';
const WORDS = ['one ', 'two ', 'three'];

let gateway: Gateway;
let provider: Scripted;

t.before(async () => {
  provider = await startScripted();
  t.teardown(() => provider.close());
  const { origin } = new URL(provider.baseUrl);
  gateway = await startGateway(t, {
    config: {
      providers: {
        openai: { kind: 'openai', base_url: `${origin}/v1`, credentials: SECRET },
        anthropic: { kind: 'anthropic', base_url: `${origin}/v1`, credentials: SECRET },
        gemini: { kind: 'gemini', base_url: `${origin}/v1beta`, credentials: SECRET },
        bedrock: { kind: 'bedrock', base_url: origin, region: 'eu-central-1', credentials: SECRET },
        shared: { kind: 'openai', base_url: `${origin}/v1`, credentials: SECRET, stored_objects: 'shared' },
        brought: { kind: 'openai', base_url: `${origin}/v1`, credentials: SECRET, bring_your_own: 'allowed' },
      },
      models: { fallback: { targets: ['openai/gpt-x', 'shared/gpt-x'] } },
      prices: ['openai', 'anthropic', 'gemini', 'bedrock', 'shared', 'brought'].map((name) => ({
        model: `${name}/gpt-*`,
        input: 1,
        output: 2,
      })),
      keys: [
        { id: 'e2e', secret: KEY },
        { id: 'other', secret: OTHER },
        { id: 'narrow', secret: NARROW, models: ['openai/*'] },
        { id: 'chat-only', secret: CHAT_ONLY, endpoints: ['/v1/chat/completions'] },
        { id: 'paying', secret: PAYING, labels: { team: 'paying' } },
      ],
      limits: [{ name: 'budget', when: 'key.labels.team == "paying"', cost: { max: 5, window: 'day' } }],
    },
  });
});

interface Direct {
  readonly method?: string;
  readonly key?: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

function direct(path: string, { method = 'POST', key = KEY, body, headers = {} }: Direct = {}): Promise<Received> {
  return exchange(`${gateway.url}/providers${path}`, {
    method,
    headers: { authorization: `Bearer ${key}`, ...headers },
    ...(body === undefined ? {} : { body }),
  });
}

const answer = (text: string): StreamScript => ({ chunks: [text] });
const MESSAGES = [{ role: 'user', content: 'hello' }];
const CONTENTS = [{ role: 'user', parts: [{ text: 'hello' }] }];
const CHAT = { choices: [{ index: 0, message: { content: 'hi' }, finish_reason: 'stop' }] };
const chatUsage = { prompt_tokens: INPUT, completion_tokens: 3, total_tokens: INPUT + 3 };

/** Odd white space and an unknown member: whoever writes the body anew would lose them. */
function oddly(body: object): string {
  return JSON.stringify({ ...body, 'x-unknown': [1.0, 'é'] }, null, 3);
}

const geminiArray = (): StreamScript => {
  const bodies = geminiStream(WORDS).chunks.map((chunk) => String(chunk).slice('data: '.length).trim());
  const chunks = bodies.map((body, at) => `${at === 0 ? '[' : ',\r\n'}${body}${at === bodies.length - 1 ? ']' : ''}`);
  return { headers: { 'content-type': 'application/json; charset=UTF-8' }, chunks };
};

/** Paths by which a dialect is known, with what is sent and what comes back. */
const KNOWN: readonly (readonly [path: string, body: object, script: StreamScript, model: string])[] = [
  [
    '/openai/v1/chat/completions',
    { model: 'gpt-x', messages: MESSAGES },
    answer(oddly({ ...CHAT, usage: chatUsage })),
    'openai/gpt-x',
  ],
  [
    '/openai/v1/chat/completions',
    { model: 'gpt-x', messages: MESSAGES, stream: true, stream_options: { include_usage: true } },
    streamScript('gpt-x', WORDS),
    'openai/gpt-x',
  ],
  ['/anthropic/v1/messages', { model: 'gpt-x', messages: MESSAGES }, anthropicWhole('hi'), 'anthropic/gpt-x'],
  [
    '/anthropic/v1/messages?beta=true',
    { model: 'gpt-x', messages: MESSAGES, stream: true },
    anthropicStream(WORDS),
    'anthropic/gpt-x',
  ],
  ['/gemini/v1beta/models/gpt-x:generateContent', { contents: CONTENTS }, geminiWhole('hi'), 'gemini/gpt-x'],
  [
    '/gemini/v1beta/models/gpt-x:streamGenerateContent?alt=sse',
    { contents: CONTENTS },
    geminiStream(WORDS),
    'gemini/gpt-x',
  ],
  ['/gemini/v1beta/models/gpt-x:streamGenerateContent', { contents: CONTENTS }, geminiArray(), 'gemini/gpt-x'],
  ['/bedrock/model/gpt-x/converse', { messages: [] }, bedrockWhole('hi'), 'bedrock/gpt-x'],
  ['/bedrock/model/gpt-x/converse-stream', { messages: [] }, bedrockStream(WORDS), 'bedrock/gpt-x'],
];

t.test('a dialect that is known is metered, and its bytes stay as they are both ways', async (t) => {
  for (const [path, body, script, target] of KNOWN) {
    const [, name = '', rest = ''] = /^\/([a-z]+)(.*)$/.exec(path) ?? [];
    provider.queue(script);
    const sent = oddly(body);
    const got = await direct(path, { body: sent });
    t.equal(got.status, 200, path);
    t.same(got.body, Buffer.concat((script.chunks ?? []).map((chunk) => Buffer.from(chunk))), `${path}: the answer`);
    const capture = provider.captures.at(-1);
    t.equal(capture?.path, rest);
    t.equal(capture?.body.toString(), sent, `${path}: the request`);
    const record = await gateway.record(got.headers['x-request-id'] ?? '');
    const usage = { input: INPUT, output: 3 };
    t.match(record, { target, endpoint: `/providers/${name}`, usage, usage_source: 'provider' }, path);
    t.equal(record.cost_nano_usd, INPUT * 1000 + 3 * 2000, path);
  }
});

t.test('what a key may use holds here too', async (t) => {
  const before = provider.begun;
  const refused = { status: 403, body: { error: { code: 'model_not_allowed' } } };
  const shown = (got: Received): object => ({ status: got.status, body: JSON.parse(got.text) as object });
  t.match(shown(await direct('/shared/v1/anything', { key: NARROW, body: '{}' })), refused);
  t.match(shown(await direct('/shared/v1/anything', { method: 'GET', key: NARROW })), refused);
  const body = JSON.stringify({ model: 'gpt-x', messages: MESSAGES });
  t.match(shown(await direct('/shared/v1/chat/completions', { key: NARROW, body })), refused);
  t.match(shown(await direct('/openai/v1/chat/completions', { key: CHAT_ONLY, body })), refused);
  t.equal((await direct('/openai/v1/chat/completions', { key: 'sk-nobody-0123456789abcdef', body })).status, 401);
  t.equal(provider.begun, before, 'nothing was sent');
  t.equal((await direct('/openai/v1/anything?x=1', { key: NARROW, body: '{}' })).status, 200);
});

t.test('a cost limit does not let through what nobody can price', async (t) => {
  const before = provider.begun;
  for (const [method, path] of [
    ['POST', '/openai/v1/audio/anything'],
    ['GET', '/openai/v1/whatever'],
    ['DELETE', '/openai/v1/whatever'],
  ] as const) {
    const got = await direct(path, { method, key: PAYING, ...(method === 'POST' ? { body: 'x' } : {}) });
    t.match(
      { status: got.status, body: JSON.parse(got.text) },
      { status: 403, body: { error: { code: 'unpriced_model' } } },
    );
    t.match(await gateway.record(got.headers['x-request-id'] ?? ''), {
      status: 403,
      code: 'unpriced_model',
      target: null,
    });
  }
  t.equal(provider.begun, before);
  provider.queue(answer(JSON.stringify({ ...CHAT, usage: chatUsage })));
  const body = JSON.stringify({ model: 'gpt-x', messages: MESSAGES });
  t.equal((await direct('/openai/v1/chat/completions', { key: PAYING, body })).status, 200, 'a known price');
});

t.test('a client cannot add or replace credentials', async (t) => {
  const headers = {
    'openai-organization': 'org-of-the-client',
    'x-api-key': KEY,
    'x-goog-api-key': KEY,
    'proxy-authorization': 'Bearer mine',
    cookie: 'session=1',
    'x-forwarded-for': '10.0.0.1',
    'x-amz-security-token': 'mine',
    'x-tollgate-decision': 'pass',
    'x-envoy-upstream-rq-timeout-ms': '1',
    'x-anything': 'mine',
  };
  for (const method of ['POST', 'GET', 'DELETE']) {
    const got = await direct('/openai/v1/anything', { method, headers, ...(method === 'POST' ? { body: 'x' } : {}) });
    t.equal(got.status, 200, got.text);
    const capture = provider.captures.at(-1);
    t.equal(capture?.headers['authorization'], `Bearer ${SECRET}`, method);
    const seen = JSON.stringify(capture?.rawHeaders);
    t.notOk(
      seen.includes(KEY) || /mine|session=1|org-of|10\.0\.0\.1|x-tollgate|x-envoy/i.test(seen),
      `${method}: ${seen}`,
    );
  }
});

/** What one key stored, another must not read: by method and path. */
const STORED: readonly (readonly [method: string, path: string])[] = [
  ['GET', '/v1/files'],
  ['GET', '/v1/files/file-of-another/content'],
  ['POST', '/v1/files'],
  ['DELETE', '/v1/files/file-of-another'],
  ['GET', '/v1/batches/batch_of_another'],
  ['POST', '/v1/batches/batch_of_another/cancel'],
  ['GET', '/v1/responses/resp_of_another'],
  ['DELETE', '/v1/responses/resp_of_another'],
  ['GET', '/v1/responses/resp_of_another/input_items?limit=5'],
  ['GET', '/v1/vector_stores/vs_of_another/files'],
  ['POST', '/v1/vector_stores/vs_of_another/search'],
  ['POST', '/v1/threads/thread_of_another/messages'],
  ['POST', '/v1/assistants'],
  ['GET', '/v1/fine_tuning/jobs'],
  ['GET', '/v1/conversations/conv_of_another'],
  ['GET', '/v1/chat/completions'],
  ['GET', '/v1/chat/completions/chatcmpl-of-another'],
  ['GET', '/v1/messages/batches/msgbatch_of_another/results'],
  ['GET', '/v1beta/files/of-another'],
  ['POST', '/upload/v1beta/files'],
  ['GET', '/v1beta/cachedContents'],
  ['GET', '/v1beta/files/of-another:download?alt=media'],
  ['GET', '/V1/Files'],
  ['GET', '/v1/%66iles'],
  ['GET', '/v1//files'],
  ['GET', '/v1/models/../files'],
];

t.test('case 14: another key’s files, batches and stored answers are not to be had', async (t) => {
  const before = provider.begun;
  for (const key of [KEY, OTHER]) {
    for (const [method, path] of STORED) {
      const got = await direct(`/openai${path}`, {
        method,
        key,
        ...(method === 'POST' ? { body: '{"model":"gpt-x"}' } : {}),
      });
      t.equal(got.status, 404, `${method} ${path}`);
      t.match(JSON.parse(got.text), { error: { message: /stored_objects|Nothing is served/ } });
    }
  }
  t.equal(provider.begun, before, 'nobody was asked');

  const references: readonly (readonly [param: string, more: string])[] = [
    ['previous_response_id', '"previous_response_id":"resp_of_another"'],
    ['previous_response_id', '"previous\\u005fresponse_id":"resp_of_another"'],
    ['conversation', '"conversation":"conv_of_another"'],
    ['conversation', '"conversation":{"id":"conv_of_another"}'],
    ['input[].id', '"input":[{"type":"item_reference","id":"msg_of_another"}]'],
    ['input[].id', '"input":[{"id":"msg_of_another"}]'],
    ['tools[].container', '"tools":[{"type":"code_interpreter","container":"cntr_of_another"}]'],
  ];
  for (const [param, more] of references) {
    const input = more.includes('"input"') ? '' : '"input":"go on",';
    const body = `{${input}${more},"model":"openai/gpt-x"}`;
    for (const path of ['/v1/responses', '/providers/openai/v1/responses']) {
      const got = await gateway.post(path, body);
      const wanted = { error: { code: 'unsupported_parameter', param } };
      t.match({ status: got.status, body: JSON.parse(got.text) }, { status: 400, body: wanted }, `${path} ${more}`);
      const record = await gateway.record(got.headers['x-request-id'] ?? '');
      t.match(record, { status: 400, code: 'unsupported_parameter', target: null, cost_nano_usd: 0 });
    }
  }
  const container = { model: 'anthropic/gpt-x', max_tokens: 5, messages: MESSAGES, container: 'container_of_another' };
  const refused = await gateway.post('/v1/messages', container);
  t.match(JSON.parse(refused.text), { type: 'error', error: { message: /container/ } });
  t.equal(provider.begun, before, 'nobody was asked');
  await gateway.settled();

  // Nothing stored is meant: a new answer, a conversation that is sent whole, tools with such names.
  const innocent = { model: 'openai/gpt-x', input: [{ type: 'message', id: 'msg_1', role: 'user', content: 'hi' }] };
  t.equal((await gateway.post('/v1/responses', innocent)).status, 200);
  t.equal((await gateway.post('/v1/responses', { ...innocent, previous_response_id: null })).status, 200);
  const named = { ...innocent, tools: [{ type: 'function', name: 'f', parameters: { properties: { id: {} } } }] };
  t.equal((await gateway.post('/v1/responses', named)).status, 200);
});

t.test('objects are there where the operator, or the app’s own key, opens them', async (t) => {
  t.equal((await direct('/shared/v1/files/file-x', { method: 'GET' })).status, 200);
  t.equal(provider.captures.at(-1)?.path, '/v1/files/file-x');
  const body = { model: 'shared/gpt-x', input: 'go on', previous_response_id: 'resp_x' };
  t.equal((await gateway.post('/v1/responses', body)).status, 200);
  // The first target refuses, the second may.
  const second = await gateway.post('/v1/responses', { ...body, model: 'fallback' });
  t.match(second.headers, { 'x-tollgate-provider': 'shared', 'x-tollgate-attempts': '1' });
  t.equal((await direct('/brought/v1/files/file-x', { method: 'GET' })).status, 404);
  const own = { 'x-tollgate-provider-key': 'brought=own-key-of-the-app' };
  t.equal((await direct('/brought/v1/files/file-x', { method: 'GET', headers: own })).status, 200);
  t.equal(provider.captures.at(-1)?.headers['authorization'], 'Bearer own-key-of-the-app');
});

t.test('models_only closes it', async (t) => {
  const closed = await startGateway(t, {
    config: {
      gateway: { models_only: true },
      providers: { openai: { kind: 'openai', base_url: provider.baseUrl, credentials: SECRET } },
      models: { gpt: { targets: ['openai/gpt-x'] } },
    },
  });
  const before = provider.begun;
  const body = JSON.stringify({ model: 'gpt-x', messages: MESSAGES });
  for (const path of ['/v1/chat/completions', '/v1/anything']) {
    t.equal((await closed.post(`/providers/openai${path}`, body)).status, 404, path);
  }
  t.equal((await closed.get('/providers/openai/v1/models')).status, 404);
  t.equal(provider.begun, before);
  await closed.stop();
});

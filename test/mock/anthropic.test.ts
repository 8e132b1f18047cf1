import Anthropic from '@anthropic-ai/sdk';
import t, { type Test } from 'tap';
import { countTokens } from '../../src/codec/word-pieces.js';
import { startMock } from '../../src/mock/start-mock.js';
import { anthropicRequest } from '../schemas/anthropic-request.js';
import { assertRequest } from '../schemas/request-rules.js';

const mock = await startMock({ host: '127.0.0.1', port: 0 });
const baseURL = `http://127.0.0.1:${mock.address.port}`;
const client = new Anthropic({ baseURL, apiKey: 'none', maxRetries: 0 });
t.teardown(() => mock.close());

const say = (content: string): Anthropic.MessageParam[] => [{ role: 'user', content }];
const WEATHER: Anthropic.Tool = {
  name: 'get_weather',
  input_schema: { type: 'object', properties: { city: { type: 'string' }, unit: { enum: ['C', 'F'] } } },
};
const PING: Anthropic.Tool = { name: 'ping_host', input_schema: { type: 'object', properties: {} } };

type Asked = Omit<Anthropic.MessageCreateParamsNonStreaming, 'max_tokens'> & { max_tokens?: number };

/** The same request whole and streamed: both must say the same. */
async function both(t: Test, asked: Asked): Promise<Anthropic.Message> {
  const request = { max_tokens: 4000, ...asked };
  assertRequest(anthropicRequest, request);
  const whole = await client.messages.create(request);
  const streamed = await client.messages.stream(request).finalMessage();
  t.strictSame(unnamed(streamed.content), unnamed(whole.content));
  t.equal(streamed.stop_reason, whole.stop_reason);
  t.equal(streamed.usage.input_tokens, whole.usage.input_tokens);
  t.equal(streamed.usage.output_tokens, whole.usage.output_tokens);
  t.equal(streamed.usage.cache_read_input_tokens, whole.usage.cache_read_input_tokens);
  t.equal(streamed.usage.cache_creation_input_tokens, whole.usage.cache_creation_input_tokens);
  return whole;
}

/** Ids and signatures depend on the request's bytes, of which "stream" is one. */
function unnamed(content: readonly Anthropic.ContentBlock[]): unknown {
  return content.map((block) => {
    if (block.type === 'tool_use') return { ...block, id: block.id.length };
    return block.type === 'thinking' ? { ...block, signature: block.signature.length } : block;
  });
}

function events(model: string, more: object = {}): Promise<string> {
  const body = JSON.stringify({
    model,
    max_tokens: 4000,
    stream: true,
    messages: say('one two three four five'),
    ...more,
  });
  const headers = { 'anthropic-version': '2023-06-01' };
  return fetch(`${baseURL}/v1/messages`, { method: 'POST', headers, body }).then((answer) => answer.text());
}

t.test('text, whole and streamed', async (t) => {
  const echo = await both(t, { model: 'echo', messages: say('Grüße aus 東京 🎉!') });
  t.match(echo.content, [{ type: 'text', text: 'Grüße aus 東京 🎉!' }]);
  t.equal(echo.stop_reason, 'end_turn');
  t.equal(echo.usage.output_tokens, countTokens('Grüße aus 東京 🎉!'));
  const cut = await both(t, { model: 'chat', messages: say('Hi'), max_tokens: 3 });
  t.equal(cut.stop_reason, 'max_tokens');
  t.equal(cut.usage.output_tokens, 3);
  t.equal((await both(t, { model: 'claude-sonnet-4-5+echo', messages: say('Hi') })).model, 'claude-sonnet-4-5+echo');
});

t.test('tools: named, forced, parallel, without arguments, and their results', async (t) => {
  const tools = [WEATHER, PING];
  const called = await both(t, { model: 'chat', tools, messages: say('Weather, and ping?') });
  t.equal(called.stop_reason, 'tool_use');
  t.match(called.content, [
    { type: 'tool_use', name: 'get_weather', input: { city: 'example', unit: 'C' } },
    { type: 'tool_use', name: 'ping_host', input: {} },
  ]);
  const once = { type: 'auto' as const, disable_parallel_tool_use: true };
  t.equal(
    (await both(t, { model: 'chat', tools, tool_choice: once, messages: say('Weather, ping') })).content.length,
    1,
  );
  t.equal(
    (await both(t, { model: 'chat', tools, tool_choice: { type: 'any' }, messages: say('x') })).stop_reason,
    'tool_use',
  );
  t.equal(
    (await both(t, { model: 'chat', tools, tool_choice: { type: 'none' }, messages: say('ping') })).stop_reason,
    'end_turn',
  );
  const id = called.content[0]?.type === 'tool_use' ? called.content[0].id : '';
  const other = called.content[1]?.type === 'tool_use' ? called.content[1].id : '';
  const answered = await both(t, {
    model: 'chat',
    tools,
    messages: [
      ...say('Weather, and ping?'),
      { role: 'assistant', content: called.content },
      {
        role: 'user',
        content: [
          { type: 'tool_result', tool_use_id: id, content: 'Sunny' },
          { type: 'tool_result', tool_use_id: other, content: [{ type: 'text', text: 'up' }] },
        ],
      },
    ],
  });
  t.match(answered.content, [{ type: 'text', text: 'The tool answered: Sunny up' }]);
  t.match(
    await events('chat', { tools: [PING], messages: say('ping') }),
    /"partial_json":""\}\}\n\nevent: content_block_stop/,
  );
});

t.test('thinking is signed, and counted as output', async (t) => {
  const thinking = { type: 'enabled' as const, budget_tokens: 1024 };
  const thought = await both(t, { model: 'echo', thinking, messages: say('Hi') });
  t.match(thought.content, [
    { type: 'thinking', thinking: /Hi/, signature: /^[\w+/]+=*$/ },
    { type: 'text', text: 'Hi' },
  ]);
  t.ok(thought.usage.output_tokens > 10);
  t.equal((await both(t, { model: 'echo', messages: say('Hi') })).content.length, 1);
});

t.test('structured output', async (t) => {
  const schema = { type: 'object', properties: { n: { type: 'integer', minimum: 3 } }, additionalProperties: false };
  const answer = await both(t, {
    model: 'chat',
    messages: say('x'),
    output_config: { format: { type: 'json_schema', schema } },
  });
  t.match(answer.content, [{ type: 'text', text: '{"n":3}' }]);
});

t.test('a prefix is written to the cache first and read later, for five minutes or an hour', async (t) => {
  const text = 'You are a helpful assistant. '.repeat(20);
  const system = (ttl: '5m' | '1h'): Anthropic.TextBlockParam[] => [
    { type: 'text', text, cache_control: { type: 'ephemeral', ttl } },
  ];
  const plain = await both(t, { model: 'echo', system: text, messages: say('Hi') });
  const first = await both(t, { model: 'echo', system: system('1h'), messages: say('Hi') });
  t.equal(first.usage.cache_creation_input_tokens, countTokens(text));
  t.equal(first.usage.cache_creation?.ephemeral_1h_input_tokens, countTokens(text));
  t.equal(first.usage.input_tokens + countTokens(text), plain.usage.input_tokens);
  const messages = [...say('Hi'), { role: 'assistant' as const, content: 'Hi' }, ...say('Again')];
  const later = await both(t, { model: 'echo', system: system('5m'), messages });
  t.equal(later.usage.cache_read_input_tokens, countTokens(text));
  t.equal(later.usage.cache_creation_input_tokens, 0);
});

t.test('tokens are counted as they will be stated', async (t) => {
  const asked = { model: 'echo', system: 'Be brief.', tools: [WEATHER], messages: say('How are you?') };
  const counted = await client.messages.countTokens(asked);
  t.equal(counted.input_tokens, (await both(t, asked)).usage.input_tokens);
});

t.test('what is missing or unknown is refused', async (t) => {
  const post = async (body: object, version = '2023-06-01'): Promise<string> => {
    const headers = { 'anthropic-version': version };
    const answer = await fetch(`${baseURL}/v1/messages`, { method: 'POST', headers, body: JSON.stringify(body) });
    const { type, error } = (await answer.json()) as { type: string; error: { type: string; message: string } };
    t.equal(type, 'error');
    return `${answer.status} ${error.type} ${error.message}`;
  };
  const whole = { model: 'echo', max_tokens: 10, messages: say('x') };
  t.match(await post({ ...whole, max_tokens: undefined }), '400 invalid_request_error max_tokens: Field required');
  t.match(await post({ ...whole, messages: [] }), /^400 .*at least one message/);
  t.match(await post({ ...whole, messages: [{ role: 'system', content: 'x' }] }), /^400 .*messages.0.role/);
  t.match(await post({ ...whole, stream_options: {} }), /^400 .*stream_options: Extra inputs/);
  t.match(await post({ ...whole, tools: [{ name: 'a', input_schema: {} }] }), /^400 .*input_schema.type/);
  t.match(await post(whole, ''), /^400 .*anthropic-version/);
  t.match(await post({ ...whole, model: 'none' }), /^404 not_found_error/);
});

t.test('errors have their types, and faults break off after some content', async (t) => {
  const failed = (model: string): Promise<unknown> =>
    client.messages.create({ model, max_tokens: 9, messages: say('x') }).catch((error: unknown) => error);
  t.match(await failed('error-529'), { status: 529, error: { error: { type: 'overloaded_error' } } });
  t.match(await failed('error-429'), { status: 429, error: { error: { type: 'rate_limit_error' } } });
  t.match(await failed('error-401'), { status: 401, error: { error: { type: 'authentication_error' } } });
  const broken = client.messages.stream({ model: 'error-event', max_tokens: 4000, messages: say('x') });
  await t.rejects(broken.finalMessage(), /Overloaded/);
  t.match(await events('error-event'), /text_delta[\s\S]*event: error\ndata: \{"type":"error".*\n\n$/);
  t.notMatch(await events('cut-clean'), /message_stop/);
  t.match(await events('cut-clean'), /text_delta/);
  t.notMatch(await events('no-usage'), /"usage"/);
});

t.test('Claude on Vertex AI, and the list of models', async (t) => {
  const url = `${baseURL}/v1/projects/p/locations/global/publishers/anthropic/models/claude-opus-4-5%2Becho`;
  const ask = (verb: string, more: object): Promise<string> =>
    fetch(`${url}:${verb}`, {
      method: 'POST',
      body: JSON.stringify({ anthropic_version: 'vertex-2023-10-16', max_tokens: 99, messages: say('Hi'), ...more }),
    }).then((answer) => answer.text());
  t.match(await ask('rawPredict', {}), /"text":"Hi"/);
  t.match(await ask('streamRawPredict', { stream: true }), /event: message_stop\n/);
  t.match(await ask('rawPredict', { model: 'x' }), /model: Extra inputs/);
  t.match(await ask('rawPredict', { anthropic_version: undefined }), /anthropic_version: Field required/);
  const models = await client.models.list();
  t.ok(models.data.some(({ id, type }) => id === 'echo' && type === 'model'));
  const locked = await startMock({ host: '127.0.0.1', port: 0, requireKey: 'right' });
  t.teardown(() => locked.close());
  const status = (apiKey: string): Promise<unknown> =>
    new Anthropic({ baseURL: `http://127.0.0.1:${locked.address.port}`, apiKey, maxRetries: 0 }).messages
      .create({ model: 'echo', max_tokens: 9, messages: say('x') })
      .catch((error: unknown) => error);
  t.match(await status('wrong'), { status: 401, error: { type: 'error' } });
  t.match(await status('right'), { role: 'assistant' });
});

import { once } from 'node:events';
import { connect } from 'node:net';
import { gunzipSync } from 'node:zlib';
import OpenAI from 'openai';
import t from 'tap';
import { countTokens, pieces } from '../../src/codec/word-pieces.js';
import { behaviourOf, MOCK_MODELS } from '../../src/mock/models.js';
import { startMock } from '../../src/mock/start-mock.js';

const mock = await startMock({ host: '127.0.0.1', port: 0, now: () => 1_780_000_000_000 });
const base = `http://127.0.0.1:${mock.address.port}/v1`;
const client = new OpenAI({ baseURL: base, apiKey: 'none', maxRetries: 0 });
t.teardown(() => mock.close());

interface ChatAnswer {
  readonly choices: readonly { readonly message: { readonly content: string } }[];
}

const say = (content: string) => [{ role: 'user' as const, content }];

function post(path: string, body: unknown): Promise<Response> {
  const headers = { 'content-type': 'application/json' };
  return fetch(base + path, { method: 'POST', headers, body: JSON.stringify(body) });
}

/** The error of a call that must fail. */
function failure(call: Promise<unknown>): Promise<object> {
  return call.then(
    () => Promise.reject(new Error('it did not fail')),
    (error: object) => error,
  );
}

/** What happens to a stream: its text, and whether it ended or broke. */
async function streamed(model: string): Promise<{ text: string; broke: boolean }> {
  const answer = await post('/chat/completions', { model, stream: true, messages: say('one two three four five six') });
  let text = '';
  try {
    for await (const chunk of answer.body ?? []) text += Buffer.from(chunk).toString();
    return { text, broke: false };
  } catch {
    return { text, broke: true };
  }
}

t.test('chat answers as the model says', async (t) => {
  const echo = await client.chat.completions.create({ model: 'echo', messages: say('Hi there, how are you?') });
  t.equal(echo.choices[0]?.message.content, 'Hi there, how are you?');
  t.equal(echo.usage?.completion_tokens, countTokens('Hi there, how are you?'));
  t.equal(echo.usage?.total_tokens, (echo.usage?.prompt_tokens ?? 0) + (echo.usage?.completion_tokens ?? 0));
  t.equal(echo.choices[0]?.finish_reason, 'stop');
  const short = await client.chat.completions.create({ model: 'chat', max_tokens: 3, n: 2, messages: say('Hi') });
  t.equal(short.choices.length, 2);
  t.equal(short.choices[1]?.finish_reason, 'length');
  t.equal(short.usage?.completion_tokens, 6);
  const request = { model: 'chat', messages: say('same') };
  t.equal(
    await (await post('/chat/completions', request)).text(),
    await (await post('/chat/completions', request)).text(),
  );
});

t.test('chat streams with usage only when asked', async (t) => {
  for (const asked of [true, false]) {
    const stream = await client.chat.completions.create({
      model: 'echo',
      stream: true,
      messages: say('Grüße aus 東京 🎉!'),
      ...(asked ? { stream_options: { include_usage: true } } : {}),
    });
    let text = '';
    let usages = 0;
    let finish: string | null | undefined;
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? '';
      finish = chunk.choices[0]?.finish_reason ?? finish;
      if (chunk.usage) usages += 1;
    }
    t.equal(text, 'Grüße aus 東京 🎉!');
    t.equal(usages, asked ? 1 : 0);
    t.equal(finish, 'stop');
  }
  t.match((await streamed('echo')).text, /data: \[DONE\]\n\n$/);
});

t.test('tools are called when named, forced or required', async (t) => {
  const tool = (name: string) => ({
    type: 'function' as const,
    function: {
      name,
      parameters: { type: 'object', properties: { city: { type: 'string' }, unit: { enum: ['C', 'F'] } } },
    },
  });
  const tools = [tool('get_weather'), tool('get_time')];
  const ask = (content: string, more = {}) =>
    client.chat.completions.create({ model: 'chat', tools, messages: say(content), ...more });
  const both = await ask('Weather and time in Paris?');
  t.equal(both.choices[0]?.message.tool_calls?.length, 2);
  t.equal(both.choices[0]?.finish_reason, 'tool_calls');
  const call = both.choices[0]?.message.tool_calls?.[0];
  t.same(call?.type === 'function' ? JSON.parse(call.function.arguments) : null, { city: 'example', unit: 'C' });
  t.equal((await ask('Weather and time?', { parallel_tool_calls: false })).choices[0]?.message.tool_calls?.length, 1);
  t.equal((await ask('Hello')).choices[0]?.message.tool_calls, undefined);
  t.equal((await ask('Hello', { tool_choice: 'required' })).choices[0]?.message.tool_calls?.length, 1);
  const stream = client.chat.completions.stream({ model: 'chat', tools, messages: say('Weather and time?') });
  const final = await stream.finalChatCompletion();
  t.same(
    final.choices[0]?.message.tool_calls?.map((each) => (each.type === 'function' ? each.function.name : '')),
    ['get_weather', 'get_time'],
  );
});

t.test('structured output fits its schema', async (t) => {
  const schema = {
    type: 'object',
    properties: { n: { type: 'integer', minimum: 3 }, list: { type: 'array', items: { $ref: '#/$defs/word' } } },
    $defs: { word: { type: 'string', enum: ['a', 'b'] } },
  };
  const answer = await client.chat.completions.create({
    model: 'chat',
    messages: say('x'),
    response_format: { type: 'json_schema', json_schema: { name: 'x', schema } },
  });
  t.same(JSON.parse(answer.choices[0]?.message.content ?? ''), { n: 3, list: ['a'] });
});

t.test('responses, whole and streamed', async (t) => {
  const whole = await client.responses.create({ model: 'echo', input: 'Hello you' });
  t.equal(whole.output_text, 'Hello you');
  t.equal(whole.usage?.output_tokens, 2);
  const stream = client.responses.stream({ model: 'echo', input: say('Hello again, you') });
  const types: string[] = [];
  let last = -1;
  for await (const event of stream) {
    types.push(event.type);
    t.equal(event.sequence_number, last + 1);
    last = event.sequence_number;
  }
  t.equal(types[0], 'response.created');
  t.equal(types.at(-1), 'response.completed');
  t.equal((await stream.finalResponse()).output_text, 'Hello again, you');
  const tools = [{ type: 'function' as const, name: 'get_weather', parameters: {}, strict: false }];
  const called = await client.responses.stream({ model: 'chat', input: 'weather?', tools }).finalResponse();
  t.equal(called.output[0]?.type, 'function_call');
  const cut = await client.responses.create({ model: 'chat', input: 'x', max_output_tokens: 4 });
  t.equal(cut.incomplete_details?.reason, 'max_output_tokens');
  t.notMatch(await (await post('/responses', { model: 'echo', input: 'x', stream: true })).text(), /\[DONE\]/);
});

t.test('the other endpoints', async (t) => {
  const completion = await client.completions.create({ model: 'echo', prompt: 'Once upon', n: 2 });
  t.equal(completion.choices[1]?.text, 'Once upon');
  const packed = await client.embeddings.create({ model: 'embed', input: ['a', 'b'], dimensions: 8 });
  const plain = await client.embeddings.create({
    model: 'embed',
    input: ['a', 'b'],
    dimensions: 8,
    encoding_format: 'float',
  });
  t.same(packed.data[0]?.embedding, plain.data[0]?.embedding);
  t.notSame(plain.data[0]?.embedding, plain.data[1]?.embedding);
  const length = plain.data[0]?.embedding.reduce((sum, each) => sum + each * each, 0) ?? 0;
  t.ok(Math.abs(length - 1) < 1e-5);
  t.equal((await client.moderations.create({ model: 'chat', input: 'violence' })).results[0]?.flagged, true);
  t.equal((await client.images.generate({ model: 'chat', prompt: 'a cat', n: 2 })).data?.length, 2);
  const sound = await client.audio.speech.create({ model: 'chat', input: 'Hello', voice: 'alloy' });
  t.equal((await sound.arrayBuffer()).byteLength, 5 * 417);
  const file = new File([Buffer.alloc(40_000)], 'talk.mp3');
  const heard = await client.audio.transcriptions.create({ model: 'chat', file });
  t.equal(heard.text, 'A mock transcript of talk.mp3, 40000 bytes.');
  const names = (await client.models.list()).data.map((model) => model.id);
  t.ok(names.includes('echo') && !names.some((name) => name.includes('<')));
  t.equal((await client.models.retrieve('big-12')).id, 'big-12');
});

t.test('errors have the shape and class of OpenAI', async (t) => {
  const create = (model: string) => client.chat.completions.create({ model, messages: say('x') });
  t.match(await failure(create('nothing')), { status: 404, code: 'model_not_found' });
  for (const status of [400, 401, 403, 404, 429, 500, 502, 503, 529]) {
    t.match(await failure(create(`error-${status}`)), { status });
  }
  t.equal((await post('/chat/completions', { model: 'error-429' })).headers.get('retry-after'), '1');
  t.ok(await create('flaky'));
  t.match(await failure(create('flaky')), { status: 500 });
  t.ok(await create('flaky'));
  t.equal((await fetch(`${base}/chat/completions`, { method: 'POST', body: '{"model":' })).status, 400);
  t.equal((await post('/chat/completions', {})).status, 400);
  t.equal((await post('/nothing', { model: 'echo' })).status, 404);
  const locked = await startMock({ host: '127.0.0.1', port: 0, requireKey: 'right' });
  t.teardown(() => locked.close());
  const status = async (key: string) =>
    (await fetch(`http://127.0.0.1:${locked.address.port}/v1/models`, { headers: { authorization: `Bearer ${key}` } }))
      .status;
  t.equal(await status('wrong'), 401);
  t.equal(await status('right'), 200);
});

t.test('faults', async (t) => {
  const cut = await streamed('cut');
  t.ok(cut.broke);
  const clean = await streamed('cut-clean');
  t.notOk(clean.broke);
  t.equal(clean.text.split('\n\n').length - 1, 3);
  t.notMatch(clean.text, /DONE|"finish_reason":"/);
  t.same(await streamed('empty'), { text: '', broke: false });
  t.match((await streamed('error-event')).text, /"error":\{[^\n]*\n\n$/);
  t.notMatch((await streamed('no-usage')).text, /"usage"/);
  await t.rejects(post('/chat/completions', { model: 'refuse' }));
  const big = (await (await post('/chat/completions', { model: 'big-64' })).json()) as ChatAnswer;
  t.equal(big.choices[0]?.message.content.length, 65_536);
  const chunks = await streamed('chunks-500');
  t.equal(chunks.text.match(/"content":" ?word"/g)?.length, 500);
});

t.test('gzip, whole and streamed', async (t) => {
  for (const stream of [false, true]) {
    const answer = await post('/chat/completions', { model: 'gzip', stream, messages: say('x') });
    t.equal(answer.headers.get('content-encoding'), 'gzip');
    t.match(await answer.text(), stream ? /\[DONE\]/ : /"usage"/);
  }
  t.throws(() => gunzipSync(Buffer.from('no')));
});

t.test('a stalled stream waits until the client leaves, and the mock goes on', async (t) => {
  const leave = new AbortController();
  const answer = await fetch(`${base}/chat/completions`, {
    method: 'POST',
    body: JSON.stringify({ model: 'stall', stream: true, messages: say('x') }),
    signal: leave.signal,
  });
  const reader = answer.body?.getReader();
  t.ok((await reader?.read())?.value);
  leave.abort();
  await t.rejects(async () => {
    for (;;) if ((await reader?.read())?.done) return;
  });
  const socket = connect(mock.address.port, '127.0.0.1');
  await once(socket, 'connect');
  socket.write('POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n{');
  socket.destroy();
  t.equal((await post('/chat/completions', { model: 'echo', messages: say('x') })).status, 200);
});

t.test('a very long prompt is echoed without being counted word by word', async (t) => {
  const text = 'naïve 東京 🎉 '.repeat(300_000);
  const answer = await client.chat.completions.create({ model: 'echo', messages: say(text) });
  t.equal(answer.choices[0]?.message.content, text);
  t.equal(answer.usage?.completion_tokens, countTokens(text));
  t.ok(pieces(text).length < 5_000);
});

t.test('slow paces its tokens', async (t) => {
  const started = performance.now();
  const { text } = await streamed('slow-10');
  t.match(text, /DONE/);
  t.ok(performance.now() - started > 500);
});

t.test('every model in the table exists, and tokens join to their text', async (t) => {
  for (const { name } of MOCK_MODELS) t.ok(behaviourOf(name.replace('<status>', '500').replace(/<.*>/, '10')), name);
  for (const name of ['', 'big-999999', 'error-418', 'constructor-1', 'cut-5']) t.equal(behaviourOf(name), null, name);
  for (const text of ['', ' a ', 'naïve Grüße\r\n\n東京 🎉🎉🎉🎉🎉 x_y  ']) t.equal(pieces(text).join(''), text);
});

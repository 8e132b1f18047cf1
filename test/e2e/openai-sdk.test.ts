import OpenAI from 'openai';
import t from 'tap';
import { type Gateway, KEY, startGateway } from './harness.js';

const NARROW = 'sk-e2e-narrow-0123456789abcdef';

let gateway: Gateway;
let client: OpenAI;

const say = (content: string) => [{ role: 'user' as const, content }];
const clientWith = (apiKey: string) => new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey, maxRetries: 0 });

/** The error of a call that must fail. */
function failure(call: Promise<unknown>): Promise<{ status: number; code: string; headers: Headers }> {
  return call.then(
    () => Promise.reject(new Error('it did not fail')),
    (error) => error,
  );
}

t.before(async () => {
  gateway = await startGateway(t, {
    config: {
      providers: { mock: { kind: 'mock' } },
      models: { smart: { targets: ['mock/echo'] } },
      keys: [
        { id: 'e2e', secret: KEY },
        { id: 'narrow', secret: NARROW, models: ['mock/echo'] },
      ],
    },
  });
  client = clientWith(KEY);
});

t.test('chat, by target and by configured name', async (t) => {
  for (const model of ['mock/echo', 'smart']) {
    const { data, response } = await client.chat.completions
      .create({ model, messages: say('Grüße aus 東京 🎉') })
      .withResponse();
    t.equal(data.choices[0]?.message.content, 'Grüße aus 東京 🎉');
    t.equal(response.headers.get('x-tollgate-provider'), 'mock');
    t.equal(response.headers.get('x-tollgate-model'), 'echo');
    t.equal(response.headers.get('x-tollgate-attempts'), '1');
    const record = await gateway.record(response.headers.get('x-request-id') ?? '');
    t.equal(record.model, model);
    t.equal(record.target, 'mock/echo');
    t.equal(record.key, 'e2e');
    t.equal(record.usage.input, data.usage?.prompt_tokens);
    t.equal(record.usage.output, data.usage?.completion_tokens);
    // The prices of the test config: 1 and 2 dollars per million, so 1,000 and 2,000 nano-dollars per token.
    t.equal(record.cost_nano_usd, (record.usage.input ?? 0) * 1000 + (record.usage.output ?? 0) * 2000);
  }
});

for (const asked of [true, false]) {
  t.test(`streamed chat, usage ${asked ? 'asked' : 'not asked'}`, async (t) => {
    const { data: stream, response } = await client.chat.completions
      .create({
        model: 'mock/echo',
        messages: say('one two three'),
        stream: true,
        ...(asked ? { stream_options: { include_usage: true } } : {}),
      })
      .withResponse();
    let text = '';
    const usages: unknown[] = [];
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? '';
      if (chunk.usage) usages.push(chunk.usage);
    }
    t.equal(text, 'one two three');
    t.equal(usages.length, asked ? 1 : 0);
    const record = await gateway.record(response.headers.get('x-request-id') ?? '');
    t.equal(record.usage_source, 'provider', 'metered either way');
    t.equal(record.usage.output, 3);
    t.type(record.first_token_ms, 'number');
  });
}

t.test('tools, whole and streamed', async (t) => {
  const tools = ['get_weather', 'get_time'].map((name) => ({
    type: 'function' as const,
    function: { name, parameters: { type: 'object', properties: { city: { type: 'string' } } } },
  }));
  const request = { model: 'mock/chat', tools, messages: say('Weather and time in Paris?') };
  const whole = await client.chat.completions.create(request);
  const streamed = await client.chat.completions.stream(request).finalChatCompletion();
  for (const answer of [whole, streamed]) {
    const calls = answer.choices[0]?.message.tool_calls ?? [];
    t.same(
      calls.map((call) => (call.type === 'function' ? call.function.name : '')),
      ['get_weather', 'get_time'],
    );
    t.equal(answer.choices[0]?.finish_reason, 'tool_calls');
  }
});

t.test('embeddings come in base64 by default and as floats when asked', async (t) => {
  const request = { model: 'mock/embed', input: ['a', 'b'], dimensions: 16 };
  const packed = await client.embeddings.create(request);
  const plain = await client.embeddings.create({ ...request, encoding_format: 'float' });
  t.equal(packed.data.length, 2);
  t.equal(packed.data[0]?.embedding.length, 16);
  t.same(packed.data[0]?.embedding, plain.data[0]?.embedding);
});

t.test('responses, whole and streamed', async (t) => {
  const whole = await client.responses.create({ model: 'mock/echo', input: 'Hello you' });
  t.equal(whole.output_text, 'Hello you');
  const { data: stream, response } = await client.responses
    .create({ model: 'mock/echo', input: 'Hello again', stream: true })
    .withResponse();
  const types: string[] = [];
  for await (const event of stream) types.push(event.type);
  t.equal(types[0], 'response.created');
  t.equal(types.at(-1), 'response.completed');
  const record = await gateway.record(response.headers.get('x-request-id') ?? '');
  t.equal(record.usage_source, 'provider');
  t.equal(record.usage.output, 2);
  t.equal(record.endpoint, '/v1/responses');
});

t.test('the other endpoints', async (t) => {
  t.equal((await client.completions.create({ model: 'mock/echo', prompt: 'Once' })).choices[0]?.text, 'Once');
  t.equal((await client.moderations.create({ model: 'mock/chat', input: 'peace' })).results[0]?.flagged, false);
  t.equal((await client.images.generate({ model: 'mock/chat', prompt: 'a cat' })).data?.length, 1);
  const sound = await client.audio.speech.create({ model: 'mock/chat', input: 'Hello', voice: 'alloy' });
  t.equal((await sound.arrayBuffer()).byteLength, 5 * 417);
  const file = new File([Buffer.alloc(300_000, 7)], 'talk.mp3');
  const heard = await client.audio.transcriptions.create({ model: 'mock/chat', file });
  t.equal(heard.text, 'A mock transcript of talk.mp3, 300000 bytes.');
});

t.test('models are listed as far as the key may use them', async (t) => {
  const names = (await client.models.list()).data.map((model) => model.id);
  t.ok(names.includes('smart'));
  t.equal((await client.models.retrieve('smart')).id, 'smart');
  // The client writes the slash as %2F.
  t.equal((await client.models.retrieve('mock/echo')).id, 'mock/echo');
  const narrow = (await clientWith(NARROW).models.list()).data.map((model) => model.id);
  t.notOk(narrow.includes('smart'));
  t.match(await failure(clientWith(NARROW).models.retrieve('smart')), { status: 404 });
});

t.test('errors are of the classes that the client knows', async (t) => {
  const ask = (model: string, using = client) => using.chat.completions.create({ model, messages: say('x') });
  const unknown = await failure(ask('mock/echo', clientWith('sk-e2e-nobody-knows-this-key')));
  t.ok(unknown instanceof OpenAI.AuthenticationError);
  t.match(unknown, { status: 401, code: 'invalid_api_key' });
  const forbidden = await failure(ask('smart', clientWith(NARROW)));
  t.ok(forbidden instanceof OpenAI.PermissionDeniedError);
  t.match(forbidden, { status: 403, code: 'model_not_allowed' });
  const missing = await failure(ask('no-such-model'));
  t.ok(missing instanceof OpenAI.NotFoundError);
  t.match(missing, { status: 404, code: 'model_not_found' });
  t.match(await failure(ask('mock/no-such-model')), { status: 404, code: 'model_not_found' });
  const limited = await failure(ask('mock/error-429'));
  t.ok(limited instanceof OpenAI.RateLimitError);
  t.equal(limited.headers.get('retry-after'), '1');
  t.ok((await failure(ask('mock/error-400'))) instanceof OpenAI.BadRequestError);
  for (const status of [401, 403])
    t.match(await failure(ask(`mock/error-${status}`)), { status: 502, code: 'provider_auth' });
  t.match(await failure(ask('mock/error-500')), { status: 502, code: 'provider_error' });
  const path = await fetch(`${gateway.url}/v1/nothing`, { headers: { authorization: `Bearer ${KEY}` } });
  t.equal(path.status, 404);
  t.match(await path.json(), { error: { code: 'not_found' } });
});

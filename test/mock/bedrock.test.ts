import t, { type Test } from 'tap';
import { FrameCutter, type FrameHeaders } from '../../src/codec/aws-event-stream.js';
import { countTokens } from '../../src/codec/word-pieces.js';
import type { JsonObject } from '../../src/dialects/json-value.js';
import { startMock } from '../../src/mock/start-mock.js';
import { bedrockConverseRequest } from '../schemas/bedrock-request.js';
import { assertRequest } from '../schemas/request-rules.js';

const mock = await startMock({ host: '127.0.0.1', port: 0 });
t.teardown(() => mock.close());

function post(path: string, body: unknown): Promise<Response> {
  return fetch(`http://127.0.0.1:${mock.address.port}${path}`, { method: 'POST', body: JSON.stringify(body) });
}

interface Frame {
  readonly type: string;
  readonly payload: JsonObject;
}

async function frames(path: string, body: unknown): Promise<{ frames: readonly Frame[]; whole: boolean }> {
  const answer = await post(path, body);
  const found: Frame[] = [];
  const cutter = new FrameCutter({
    frame: (headers, payload) =>
      found.push({ type: typeOf(headers), payload: JSON.parse(payload.toString()) as JsonObject }),
    damaged: (reason) => {
      throw new Error(reason);
    },
  });
  cutter.push(Buffer.from(await answer.arrayBuffer()));
  return { frames: found, whole: cutter.end() };
}

function typeOf(headers: FrameHeaders): string {
  return String((headers.get(':event-type') ?? headers.get(':exception-type'))?.value);
}

const say = (text: string): JsonObject[] => [{ role: 'user', content: [{ text }] }];
const tool = (name: string): JsonObject => ({
  toolSpec: { name, inputSchema: { json: { type: 'object', properties: { city: { type: 'string' } } } } },
});
const PING = { toolSpec: { name: 'ping_host', inputSchema: { json: { type: 'object' } } } };

interface Conversed {
  readonly content: readonly JsonObject[];
  readonly stopReason: unknown;
  readonly usage: Record<string, number>;
}

/** The same request whole and in frames: both must say the same. */
async function both(t: Test, model: string, body: JsonObject): Promise<Conversed> {
  assertRequest(bedrockConverseRequest, body);
  const whole = (await (await post(`/model/${model}/converse`, body)).json()) as {
    output: { message: { content: readonly JsonObject[] } };
    stopReason: string;
    usage: Record<string, number>;
  };
  const streamed = gathered((await frames(`/model/${model}/converse-stream`, body)).frames);
  const said = { content: whole.output.message.content, stopReason: whole.stopReason, usage: whole.usage };
  t.strictSame(streamed, said);
  return said;
}

interface OpenBlock {
  text: string;
  thought: string;
  signature: string;
  input: string;
  tool: JsonObject | null;
}

/** A stream's events put together again as a whole answer has them. */
function gathered(events: readonly Frame[]): Conversed {
  const blocks: OpenBlock[] = [];
  const block = (payload: JsonObject): OpenBlock => {
    const at = Number(payload['contentBlockIndex']);
    blocks[at] ??= { text: '', thought: '', signature: '', input: '', tool: null };
    return blocks[at];
  };
  for (const { type, payload } of events) {
    if (type === 'contentBlockStart') block(payload).tool = (payload['start'] as { toolUse: JsonObject }).toolUse;
    if (type !== 'contentBlockDelta') continue;
    const delta = payload['delta'] as {
      text?: string;
      toolUse?: { input: string };
      reasoningContent?: { text?: string; signature?: string };
    };
    const open = block(payload);
    open.text += delta.text ?? '';
    open.input += delta.toolUse?.input ?? '';
    open.thought += delta.reasoningContent?.text ?? '';
    open.signature += delta.reasoningContent?.signature ?? '';
  }
  const stop = events.find(({ type }) => type === 'messageStop')?.payload;
  const metadata = events.at(-1)?.payload as { usage: Record<string, number> };
  return { content: blocks.map(wholeBlock), stopReason: stop?.['stopReason'], usage: metadata.usage };
}

function wholeBlock({ text, thought, signature, input, tool }: OpenBlock): JsonObject {
  if (tool !== null) return { toolUse: { ...tool, input: JSON.parse(input || '{}') as unknown } };
  return thought === '' ? { text } : { reasoningContent: { reasoningText: { text: thought, signature } } };
}

t.test('text, tools and thoughts, whole and in frames', async (t) => {
  const echo = await both(t, 'echo', { messages: say('Grüße aus 東京 🎉!'), system: [{ text: 'Be brief.' }] });
  t.same(echo.content, [{ text: 'Grüße aus 東京 🎉!' }]);
  t.equal(echo.usage['outputTokens'], countTokens('Grüße aus 東京 🎉!'));
  t.equal(echo.usage['totalTokens'], (echo.usage['inputTokens'] ?? 0) + (echo.usage['outputTokens'] ?? 0));
  const cut = await both(t, 'chat', { messages: say('x'), inferenceConfig: { maxTokens: 3 } });
  t.equal(cut.stopReason, 'max_tokens');
  const toolConfig = { tools: [tool('get_weather'), PING] };
  const called = await both(t, 'anthropic.claude-sonnet-4-5-v1%3A0%2Bchat', {
    messages: say('Weather, ping'),
    toolConfig,
  });
  t.equal(called.stopReason, 'tool_use');
  t.match(called.content, [
    { toolUse: { name: 'get_weather', input: { city: 'example' } } },
    { toolUse: { name: 'ping_host', input: {} } },
  ]);
  const [first, second] = called.content.map((block) => (block['toolUse'] as { toolUseId: string }).toolUseId);
  const result = (toolUseId: unknown, content: JsonObject): JsonObject => ({
    toolResult: { toolUseId, content: [content] },
  });
  const answered = await both(t, 'chat', {
    messages: [
      ...say('Weather, ping'),
      { role: 'assistant', content: called.content },
      { role: 'user', content: [result(first, { text: 'Sunny' }), result(second, { json: { up: true } })] },
    ],
    toolConfig,
  });
  t.same(answered.content, [{ text: 'The tool answered: Sunny {"up":true}' }]);
  const thinking = { type: 'enabled', budget_tokens: 1024 };
  const thought = await both(t, 'echo', {
    messages: say('Hi'),
    inferenceConfig: { maxTokens: 4096 },
    additionalModelRequestFields: { thinking },
  });
  t.match(thought.content, [{ reasoningContent: { reasoningText: { signature: String } } }, { text: 'Hi' }]);
});

t.test('a cache point writes first and is read later', async (t) => {
  const text = 'You are a helpful assistant. '.repeat(20);
  const system = [{ text }, { cachePoint: { type: 'default' } }];
  const first = await both(t, 'echo', { messages: say('Hi'), system });
  t.equal(first.usage['cacheWriteInputTokens'], countTokens(text));
  const messages = [...say('Hi'), { role: 'assistant', content: [{ text: 'Hi' }] }, ...say('Again')];
  const later = await both(t, 'echo', { messages, system });
  t.equal(later.usage['cacheReadInputTokens'], countTokens(text));
  const { inputTokens = 0, outputTokens = 0, cacheReadInputTokens = 0, totalTokens = 0 } = later.usage;
  t.equal(totalTokens, inputTokens + outputTokens + cacheReadInputTokens);
});

const CLAUDE = {
  anthropic_version: 'bedrock-2023-05-31',
  max_tokens: 4000,
  messages: [{ role: 'user', content: 'Hi' }],
};

t.test('Claude by InvokeModel: its own events in frames, its counts in headers', async (t) => {
  const whole = await post('/model/echo/invoke', CLAUDE);
  const { usage } = (await whole.json()) as { usage: { input_tokens: number } };
  t.equal(whole.headers.get('x-amzn-bedrock-input-token-count'), String(usage.input_tokens));
  const stream = await frames('/model/echo/invoke-with-response-stream', CLAUDE);
  t.ok(stream.frames.every(({ type }) => type === 'chunk'));
  const events = stream.frames.map(({ payload }) =>
    JSON.parse(Buffer.from(String(payload['bytes']), 'base64').toString()),
  ) as JsonObject[];
  t.same(
    events.map(({ type }) => type),
    [
      'message_start',
      'content_block_start',
      'ping',
      'content_block_delta',
      'content_block_stop',
      'message_delta',
      'message_stop',
    ],
  );
  t.match(events.at(-1), {
    'amazon-bedrock-invocationMetrics': { inputTokenCount: usage.input_tokens, outputTokenCount: 1 },
  });
  const input = { converse: { messages: say('How are you?') } };
  const counted = (await (await post('/model/echo/count-tokens', { input })).json()) as { inputTokens: number };
  t.equal(counted.inputTokens, (await both(t, 'echo', { messages: say('How are you?') })).usage['inputTokens']);
  const invokeModel = { body: Buffer.from(JSON.stringify(CLAUDE)).toString('base64') };
  t.same(await (await post('/model/echo/count-tokens', { input: { invokeModel } })).json(), {
    inputTokens: usage.input_tokens,
  });
});

t.test('embeddings by InvokeModel', async (t) => {
  const titan = await post('/model/amazon.titan-embed-text-v2%3A0%2Bembed/invoke', {
    inputText: 'one two',
    dimensions: 256,
  });
  const { embedding, inputTextTokenCount } = (await titan.json()) as {
    embedding: number[];
    inputTextTokenCount: number;
  };
  t.equal(embedding.length, 256);
  t.equal(inputTextTokenCount, 2);
  const cohere = await post('/model/embed/invoke', { texts: ['one two', 'three'], input_type: 'search_query' });
  t.equal(cohere.headers.get('x-amzn-bedrock-input-token-count'), '3');
  const params = {
    embeddingPurpose: 'GENERIC_INDEX',
    embeddingDimension: 384,
    text: { value: 'one', truncationMode: 'END' },
  };
  const nova = await post('/model/embed/invoke', { taskType: 'SINGLE_EMBEDDING', singleEmbeddingParams: params });
  t.equal(((await nova.json()) as { embeddings: { embedding: number[] }[] }).embeddings[0]?.embedding.length, 384);
});

t.test('errors are named in a header, faults in a frame', async (t) => {
  const refused = async (path: string, body: unknown): Promise<string> => {
    const answer = await post(path, body);
    const { message } = (await answer.json()) as { message: string };
    return `${answer.status} ${answer.headers.get('x-amzn-errortype')?.split(':')[0]} ${message}`;
  };
  const converse = '/model/echo/converse';
  t.match(await refused(converse, {}), /^400 ValidationException .*user message/);
  t.match(await refused(converse, { messages: [...say('a'), ...say('b')] }), /^400 .*alternate/);
  t.match(await refused(converse, { messages: [{ role: 'user', content: [] }] }), /^400 .*empty/);
  const toolUse = { toolUseId: 'a', name: 'b', input: {} };
  const history = [...say('a'), { role: 'assistant', content: [{ toolUse }] }];
  t.match(await refused(converse, { messages: history }), /^400 .*toolConfig/);
  t.match(await refused('/model/echo/invoke', { ...CLAUDE, anthropic_version: undefined }), /^400 .*anthropic_version/);
  t.match(await refused('/model/echo/invoke', { texts: ['a'] }), /^400 .*input_type/);
  t.match(await refused('/model/error-429/converse', { messages: say('a') }), /^429 ThrottlingException/);
  t.match(await refused('/model/none/converse', { messages: say('a') }), /^404 ResourceNotFoundException/);
  const broken = await frames('/model/error-event/converse-stream', { messages: say('one two three four five') });
  t.equal(broken.frames.at(-1)?.type, 'modelStreamErrorException');
  t.equal(broken.frames.at(-2)?.type, 'contentBlockDelta');
  const clean = await frames('/model/cut-clean/converse-stream', { messages: say('one two three four five') });
  t.notOk(clean.frames.some(({ type }) => type === 'messageStop'));
  t.ok(clean.whole);
  const silent = await frames('/model/no-usage/converse-stream', { messages: say('x') });
  t.equal(silent.frames.at(-1)?.type, 'messageStop');
});

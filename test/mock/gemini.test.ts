import { type Content, type FunctionDeclaration, type GenerateContentParameters, GoogleGenAI } from '@google/genai';
import t, { type Test } from 'tap';
import { countTokens } from '../../src/codec/word-pieces.js';
import { startMock } from '../../src/mock/start-mock.js';

const mock = await startMock({ host: '127.0.0.1', port: 0 });
const baseUrl = `http://127.0.0.1:${mock.address.port}`;
const client = new GoogleGenAI({ apiKey: 'none', httpOptions: { baseUrl } });
t.teardown(() => mock.close());

interface Said {
  readonly text: string;
  readonly thoughts: string;
  readonly calls: readonly unknown[];
  readonly finish: string;
  readonly usage: unknown;
}

/** The same request whole and streamed: both must say the same. */
async function both(t: Test, asked: GenerateContentParameters): Promise<Said> {
  const whole = saidBy([await client.models.generateContent(asked)]);
  const chunks = [];
  for await (const chunk of await client.models.generateContentStream(asked)) chunks.push(chunk);
  const streamed = saidBy(chunks);
  t.strictSame(streamed, whole);
  return whole;
}

type Chunk = Awaited<ReturnType<typeof client.models.generateContent>>;

function saidBy(chunks: readonly Chunk[]): Said {
  const parts = chunks.flatMap((chunk) => chunk.candidates?.[0]?.content?.parts ?? []);
  const last = chunks.at(-1);
  return {
    text: parts.map((part) => (part.thought ? '' : (part.text ?? ''))).join(''),
    thoughts: parts.map((part) => (part.thought ? (part.text ?? '') : '')).join(''),
    calls: parts.flatMap((part) =>
      part.functionCall ? [{ ...part.functionCall, signed: part.thoughtSignature !== undefined }] : [],
    ),
    finish: String(last?.candidates?.[0]?.finishReason),
    usage: JSON.parse(JSON.stringify(last?.usageMetadata ?? null)),
  };
}

const WEATHER: FunctionDeclaration = {
  name: 'get_weather',
  parametersJsonSchema: { type: 'object', properties: { city: { type: 'string' } } },
};

const call = (path: string, body: unknown): Promise<Response> =>
  fetch(baseUrl + path, { method: 'POST', body: JSON.stringify(body) });
const contents: Content[] = [{ role: 'user', parts: [{ text: 'one two three four five' }] }];

t.test('text, whole and streamed', async (t) => {
  const echo = await both(t, {
    model: 'echo',
    contents: 'Grüße aus 東京 🎉!',
    config: { systemInstruction: 'Be brief.' },
  });
  t.equal(echo.text, 'Grüße aus 東京 🎉!');
  t.equal(echo.finish, 'STOP');
  const output = countTokens('Grüße aus 東京 🎉!');
  t.match(echo.usage, { candidatesTokenCount: output });
  const cut = await both(t, { model: 'chat', contents: 'x', config: { maxOutputTokens: 4 } });
  t.equal(cut.finish, 'MAX_TOKENS');
  t.match(cut.usage, { candidatesTokenCount: 4 });
  const counted = await client.models.countTokens({ model: 'echo', contents: 'How are you?' });
  const asked = await both(t, { model: 'echo', contents: 'How are you?' });
  t.match(asked.usage, { promptTokenCount: counted.totalTokens });
  const several = await client.models.generateContent({ model: 'echo', contents: 'Hi', config: { candidateCount: 2 } });
  t.equal(several.candidates?.length, 2);
});

t.test('functions, thoughts and structured output', async (t) => {
  const tools = [{ functionDeclarations: [WEATHER, { ...WEATHER, name: 'get_time' }] }];
  const called = await both(t, { model: 'chat', contents: 'Weather and time?', config: { tools } });
  t.equal(called.finish, 'STOP');
  t.same(called.calls, [
    { name: 'get_weather', args: { city: 'example' }, signed: true },
    { name: 'get_time', args: { city: 'example' }, signed: false },
  ]);
  const answered = await both(t, {
    model: 'chat',
    config: { tools },
    contents: [
      { role: 'user', parts: [{ text: 'weather?' }] },
      { role: 'model', parts: [{ functionCall: { name: 'get_weather', args: {} }, thoughtSignature: 'c2ln' }] },
      { role: 'user', parts: [{ functionResponse: { name: 'get_weather', response: { output: 'Sunny' } } }] },
    ],
  });
  t.equal(answered.text, 'The tool answered: Sunny');
  const thinkingConfig = { includeThoughts: true };
  const thought = await both(t, { model: 'echo', contents: 'Hi', config: { thinkingConfig } });
  t.match(thought.thoughts, /Hi/);
  t.equal(thought.text, 'Hi');
  const usage = thought.usage as Record<string, number>;
  t.equal(
    usage['totalTokenCount'],
    (usage['promptTokenCount'] ?? 0) + (usage['candidatesTokenCount'] ?? 0) + (usage['thoughtsTokenCount'] ?? 0),
  );
  t.ok((usage['thoughtsTokenCount'] ?? 0) > 5);
  const responseSchema = { type: 'OBJECT', properties: { n: { type: 'INTEGER', minimum: 3 } } };
  const config = { responseMimeType: 'application/json', responseSchema };
  const body = { contents, generationConfig: config };
  t.match(await (await call('/v1beta/models/chat:generateContent', body)).text(), /\{\\"n\\":3\}/);
});

t.test('without alt=sse a stream is one JSON array; with it lines end in CRLF', async (t) => {
  const array = await call('/v1beta/models/echo:streamGenerateContent', { contents });
  t.match(array.headers.get('content-type'), /^application\/json/);
  const chunks = (await array.json()) as readonly {
    candidates: readonly { content: { parts: { text: string }[] } }[];
  }[];
  t.equal(chunks.map((each) => each.candidates[0]?.content.parts[0]?.text).join(''), 'one two three four five');
  const lines = await (await call('/v1/models/echo:streamGenerateContent?alt=sse', { contents })).text();
  t.match(lines, /^data: \{.*\}\r\n\r\n/);
  t.notMatch(lines, /[^\r]\n/);
});

t.test('embeddings, on Gemini and on Vertex AI', async (t) => {
  const embed = await client.models.embedContent({
    model: 'embed',
    contents: ['a', 'b'],
    config: { outputDimensionality: 8 },
  });
  t.equal(embed.embeddings?.length, 2);
  t.equal(embed.embeddings?.[0]?.values?.length, 8);
  const vertex = '/v1/projects/p/locations/l/publishers/google/models/embed';
  const instances = [{ content: 'one two' }, { content: 'three' }];
  t.match(await (await call(`${vertex}:predict`, { instances, parameters: { outputDimensionality: 4 } })).json(), {
    predictions: [
      { embeddings: { statistics: { token_count: 2 } } },
      { embeddings: { statistics: { token_count: 1 } } },
    ],
  });
  t.match(await (await call(`${vertex}:embedContent`, { content: contents[0] })).json(), {
    embedding: { values: [Number] },
    usageMetadata: { promptTokenCount: 5 },
  });
  t.match(await (await call(`${vertex}:predict`, { instances: [{ prompt: 'a cat' }] })).json(), {
    predictions: [{ bytesBase64Encoded: String }],
  });
});

t.test('what is missing or unknown is refused, and faults break off', async (t) => {
  const refused = async (model: string, body: unknown): Promise<unknown> => {
    const answer = await call(`/v1beta/models/${model}:generateContent`, body);
    return { status: answer.status, ...((await answer.json()) as object) };
  };
  t.match(await refused('echo', {}), { status: 400, error: { code: 400, status: 'INVALID_ARGUMENT' } });
  t.match(await refused('echo', { contents, stream_options: {} }), {
    error: { message: /Unknown name "stream_options"/ },
  });
  t.match(await refused('echo', { contents: [{ role: 'assistant', parts: [{ text: 'x' }] }] }), { status: 400 });
  t.match(await refused('echo', { contents: [{ role: 'user', parts: [] }] }), { status: 400 });
  t.match(await refused('none', { contents }), { status: 404, error: { status: 'NOT_FOUND' } });
  t.match(await refused('error-429', { contents }), {
    error: { status: 'RESOURCE_EXHAUSTED', details: [{ retryDelay: '1s' }] },
  });
  const stream = async (model: string, query: string): Promise<string> =>
    (await call(`/v1beta/models/${model}:streamGenerateContent${query}`, { contents })).text();
  const broken = JSON.parse(await stream('error-event', '')) as readonly unknown[];
  t.match(broken.at(-1), { error: { code: 503 } });
  t.match(await stream('error-event', '?alt=sse'), /data: \{"error":\{"code":503.*\r\n\r\n$/);
  const cut = await stream('cut-clean', '');
  t.throws(() => JSON.parse(cut));
  t.notMatch(cut, /finishReason/);
  t.notMatch(await stream('no-usage', ''), /usageMetadata/);
});

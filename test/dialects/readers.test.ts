import t from 'tap';
import type { Wire } from '../../src/dialects/endpoint.js';
import type { JsonObject } from '../../src/dialects/json-value.js';
import { normaliseUsage } from '../../src/dialects/openai-usage.js';
import { createResponseReader } from '../../src/dialects/readers.js';
import type { ResponseFacts } from '../../src/dialects/response-reader.js';
import { TOKEN_CLASSES, USAGE_CLASSES, type Usage } from '../../src/dialects/usage.js';
import { cuttings, NO_RECORDINGS, openaiRecordings } from './recordings.js';

const SSE = 'text/event-stream';
const JSON_TYPE = 'application/json';

function read(wire: Wire, contentType: string, chunks: readonly Buffer[]): ResponseFacts {
  const reader = createResponseReader(wire, { stream: contentType === SSE, contentType });
  for (const chunk of chunks) {
    const own = Buffer.from(chunk);
    reader.push(own);
    own.fill(0x7e);
  }
  reader.end();
  return reader.facts;
}

function stream(wire: Wire, ...lines: readonly string[]): ResponseFacts {
  return read(wire, SSE, [Buffer.from(lines.map((line) => `data: ${line}\n\n`).join(''))]);
}

function body(wire: Wire, value: unknown): ResponseFacts {
  return read(wire, JSON_TYPE, [Buffer.from(JSON.stringify(value))]);
}

function classes(usage: Usage | null): Partial<Usage> | null {
  if (usage === null) return null;
  return Object.fromEntries(Object.entries(usage).filter(([, amount]) => amount > 0));
}

function sum(usage: Usage): number {
  return TOKEN_CLASSES.reduce((total, name) => total + usage[name], 0);
}

const recordings = openaiRecordings();

/** Answers that name no model. */
const NAMELESS: ReadonlySet<string> = new Set(['openai-images-text-01', 'snowflake-chat-text-01']);

/** Streams whose tokens are all hidden: reasoning, or a tool call that comes in one piece. */
const SILENT: ReadonlySet<string> = new Set([
  'openai-chat-stream-text-01',
  'openai-responses-stream-reasoning-01',
  'openai-responses-stream-tools-01',
]);

t.test('every recording, cut in every way', { skip: NO_RECORDINGS }, async (t) => {
  for (const recording of recordings.filter((each) => each.status === 200)) {
    const type = recording.contentType || (recording.streamed ? SSE : JSON_TYPE);
    const all = cuttings(recording.bytes).map((chunks) => read(recording.wire, type, chunks));
    const facts = all[0];
    if (facts === undefined) throw new Error('no cutting');
    for (const other of all) t.strictSame(other, facts, `${recording.id}: same for every cutting`);
    if (recording.usage === null) {
      t.strictSame(classes(facts.usage), recording.wire === 'openai-images' ? { images: 1 } : null, recording.id);
    } else {
      const searches = facts.usage?.search_units ?? 0;
      t.strictSame({ ...facts.usage, search_units: 0 }, normaliseUsage(recording.usage), `${recording.id}: usage`);
      if (searches > 0) t.match(recording.bytes.toString(), 'web_search_call', `${recording.id}: searches`);
      // The classes add up to what the provider calls the total, and none is negative.
      t.equal(sum(facts.usage as Usage), recording.usage['total_tokens'], `${recording.id}: total`);
      t.ok(USAGE_CLASSES.every((name) => (facts.usage as Usage)[name] >= 0));
    }
    const fails = recording.features.includes('error-in-stream');
    t.equal(facts.error !== null, fails, `${recording.id}: error ${facts.error}`);
    t.equal(facts.terminal, !(fails && recording.provider === 'groq'), `${recording.id}: terminal`);
    if (!NAMELESS.has(recording.id)) t.ok(facts.model, `${recording.id}: model`);
  }
  // Its content is counted.
  for (const recording of recordings.filter((each) => each.status === 200 && each.streamed)) {
    const facts = read(recording.wire, SSE, [recording.bytes]);
    const output = recording.usage?.['completion_tokens'] ?? recording.usage?.['output_tokens'];
    if (typeof output === 'number' && output > 20 && !SILENT.has(recording.id))
      t.ok(facts.contentBytes > 0, `${recording.id}: ${facts.contentBytes}`);
  }
});

t.test('usage rules', async (t) => {
  const cases: readonly [name: string, usage: JsonObject, expected: Partial<Usage> | null][] = [
    ['plain', { prompt_tokens: 5, completion_tokens: 7, total_tokens: 12 }, { input: 5, output: 7 }],
    ['zeros are stated', { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 }, {}],
    ['nothing stated', { foo: 1 }, null],
    ['strings are nothing', { prompt_tokens: '5' }, null],
    ['negative is nothing', { prompt_tokens: -5, completion_tokens: 2 }, { output: 2 }],
    [
      'parts',
      {
        prompt_tokens: 100,
        completion_tokens: 50,
        prompt_tokens_details: { cached_tokens: 40, cache_write_tokens: 10, audio_tokens: 5, image_tokens: 6 },
        completion_tokens_details: { reasoning_tokens: 20, audio_tokens: 4 },
      },
      {
        input: 39,
        cache_read: 40,
        cache_write_5m: 10,
        input_audio: 5,
        input_image: 6,
        output: 26,
        reasoning: 20,
        output_audio: 4,
      },
    ],
    [
      'xAI: reasoning on top',
      {
        prompt_tokens: 12,
        completion_tokens: 2,
        total_tokens: 334,
        completion_tokens_details: { reasoning_tokens: 320 },
      },
      { input: 12, output: 2, reasoning: 320 },
    ],
    [
      'Gemini shim: thinking only in the total',
      { prompt_tokens: 35, completion_tokens: 12, total_tokens: 109 },
      { input: 35, output: 12, reasoning: 62 },
    ],
    [
      'Voxtral: audio only in the total',
      { prompt_tokens: 11, completion_tokens: 15, total_tokens: 401, prompt_audio_seconds: 30 },
      { input: 11, input_audio: 375, output: 15 },
    ],
    [
      'Grok on Azure: more cached than prompt',
      { prompt_tokens: 208, completion_tokens: 3, total_tokens: 211, prompt_tokens_details: { cached_tokens: 314 } },
      { cache_read: 208, output: 3 },
    ],
    [
      'more reasoning than completion',
      {
        prompt_tokens: 1,
        completion_tokens: 10,
        total_tokens: 11,
        completion_tokens_details: { reasoning_tokens: 11 },
      },
      { input: 1, reasoning: 10 },
    ],
    [
      'DeepSeek',
      { prompt_tokens: 10, completion_tokens: 1, prompt_cache_hit_tokens: 4 },
      { input: 6, cache_read: 4, output: 1 },
    ],
    [
      'Mistral, older',
      { prompt_tokens: 10, completion_tokens: 1, num_cached_tokens: 4 },
      { input: 6, cache_read: 4, output: 1 },
    ],
    ['embeddings', { prompt_tokens: 10, total_tokens: 10 }, { input: 10 }],
    ['total alone', { total_tokens: 10 }, { input: 10 }],
    [
      'images',
      {
        input_tokens: 50,
        output_tokens: 272,
        total_tokens: 322,
        input_tokens_details: { text_tokens: 10, image_tokens: 40 },
      },
      { input: 10, input_image: 40, output: 272 },
    ],
    [
      'transcription in tokens',
      { type: 'tokens', input_tokens: 14, output_tokens: 5, input_token_details: { audio_tokens: 14 } },
      { input_audio: 14, output: 5 },
    ],
    ['transcription by time', { type: 'duration', seconds: 3.2 }, { audio_seconds: 4 }],
  ];
  for (const [name, usage, expected] of cases) t.strictSame(classes(normaliseUsage(usage)), expected, name);
});

t.test('case 45: where usage hides in a stream', async (t) => {
  const usage = '{"prompt_tokens":5,"completion_tokens":7,"total_tokens":12}';
  const expected = { input: 5, output: 7 };
  const chat = (...lines: string[]) => classes(stream('openai-chat', ...lines).usage);
  t.strictSame(chat(`{"choices":[],"usage":${usage}}`, '[DONE]'), expected, 'own chunk');
  t.strictSame(chat('[DONE]', `{"choices":[],"usage":${usage}}`), expected, 'after [DONE]');
  t.strictSame(
    chat(`{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":${usage}}`),
    expected,
    'finish chunk',
  );
  t.strictSame(chat(`{"choices":[{"index":0,"delta":{}}],"x_groq":{"usage":${usage}}}`), expected, 'x_groq');
  t.strictSame(chat(`{"choices":[{"index":0,"delta":{},"usage":${usage}}]}`), expected, 'in the choice');
  t.strictSame(
    chat(
      '{"usage":{"prompt_tokens":5,"completion_tokens":1}}',
      '{"usage":null}',
      `{"usage":${usage}}`,
      `{"usage":${usage}}`,
    ),
    expected,
    'cumulative and repeated',
  );
  t.strictSame(chat('{"choices":[{"delta":{"content":"a\\"usage\\":{"}}]}'), null, 'never from text');
});

t.test('errors inside a 200', async (t) => {
  const error = (text: string) => read('openai-chat', SSE, [Buffer.from(text)]).error;
  t.equal(error('event: error\ndata: {"error":{"message":"m1"}}\n\n'), 'm1');
  t.equal(error('data: {"error":{"message":"m2","code":1},"choices":[]}\n\n'), 'm2');
  t.equal(error('data: {"error":"m3"}\n\n'), 'm3');
  t.equal(error('data: {"choices":[]}\n\nerror: {"code":500,"message":"m4"}\n\n'), 'm4');
  t.equal(error('event: error\ndata: plain text\n\n'), 'plain text');
  t.equal(error('data: {"error":null}\n\n'), null);
  t.equal(error(`data: {"error":"${'x'.repeat(1000)}"}\n\n`)?.length, 300);
  t.equal(body('openai-chat', [{ error: { message: 'listed' } }]).error, 'listed');
  t.equal(stream('openai-responses', '{"type":"error","message":"m5"}').error, 'm5');
  t.equal(
    stream('openai-responses', '{"type":"response.failed","response":{"status":"failed","error":null}}').terminal,
    true,
  );
});

t.test('terminal', async (t) => {
  const terminal = (...lines: string[]) => stream('openai-chat', ...lines).terminal;
  const choice = (index: number, reason: string) =>
    `{"choices":[{"index":${index},"delta":{"content":"x"},"finish_reason":${reason}}]}`;
  t.equal(terminal(choice(0, 'null')), false);
  t.equal(terminal(choice(0, 'null'), '[DONE]'), true);
  t.equal(terminal(choice(0, '"stop"')), true);
  t.equal(terminal(choice(0, 'null'), choice(1, 'null'), choice(0, '"stop"')), false, 'one of two');
  t.equal(terminal(choice(0, 'null'), choice(1, 'null'), choice(1, '"stop"'), choice(0, '"stop"')), true, 'both');
  t.equal(stream('openai-responses', '{"type":"response.created","response":{}}', '[DONE]').terminal, false);
  for (const type of ['completed', 'incomplete', 'failed']) {
    const facts = stream(
      'openai-responses',
      `{"type":"response.${type}","response":{"usage":{"input_tokens":1,"output_tokens":2}}}`,
    );
    t.equal(facts.terminal, true, type);
    t.strictSame(classes(facts.usage), { input: 1, output: 2 }, type);
  }
  t.equal(read('openai-chat', JSON_TYPE, [Buffer.from('{"choices":[')]).terminal, false, 'cut JSON');
});

t.test('content', async (t) => {
  const delta = (value: unknown) => `{"choices":[{"index":0,"delta":${JSON.stringify(value)},"finish_reason":null}]}`;
  const bytes = (...values: unknown[]) => stream('openai-chat', ...values.map(delta)).contentBytes;
  t.equal(bytes({ role: 'assistant', content: '' }), 0);
  t.equal(bytes({ content: 'é😀' }), 6);
  t.equal(
    bytes(
      { content: 'a' },
      { content: 'bc' },
      { content: 'é' },
      { content: '"' },
      { content: '\n' },
      { content: 'x\\' },
    ),
    9,
    'with repeated form',
  );
  t.equal(bytes({ reasoning_content: 'ab', reasoning: 'ab' }), 2);
  t.equal(bytes({ refusal: 'no' }, { content: [{ type: 'thinking', thinking: [{ text: 'abc' }] }, { text: 'd' }] }), 6);
  t.equal(
    bytes(
      { tool_calls: [{ index: 0, function: { name: 'f', arguments: '{"a"' } }] },
      { function_call: { arguments: '{}' } },
    ),
    7,
  );
  t.equal(stream('openai-chat', delta({ tool_calls: [{ function: { name: 'f', arguments: '' } }] })).content, true);
  t.equal(stream('openai-chat', delta({ role: 'assistant', content: '' })).content, false);
});

t.test('other endpoints', async (t) => {
  t.strictSame(
    classes(body('openai-embeddings', { data: [], model: 'e', usage: { prompt_tokens: 8, total_tokens: 8 } }).usage),
    { input: 8 },
  );
  t.strictSame(classes(body('openai-images', { data: [{ url: 'x' }, { url: 'y' }] }).usage), { images: 2 });
  t.strictSame(
    classes(
      stream('openai-images', '{"type":"image_generation.completed","usage":{"input_tokens":1,"output_tokens":2}}')
        .usage,
    ),
    { input: 1, output: 2 },
  );
  const transcript = stream(
    'openai-transcription',
    '{"type":"transcript.text.delta","delta":"hi"}',
    '{"type":"transcript.text.done","usage":{"input_tokens":1,"output_tokens":2}}',
    '[DONE]',
  );
  t.match(transcript, { terminal: true, contentBytes: 2 });
  t.match(read('openai-speech', 'audio/mpeg', [Buffer.alloc(10)]), { terminal: true, content: true, contentBytes: 0 });
  t.match(read('openai-transcription', 'text/plain', [Buffer.from('hello')]), { terminal: true, contentBytes: 5 });
  t.equal(body('openai-moderations', { model: 'm', results: [] }).usage, null);
});

t.test('units and tiers', async (t) => {
  const chunk = (more: object) => JSON.stringify({ choices: [{ index: 0, delta: { content: 'x' } }], ...more });
  const tier = (...chunks: object[]) => stream('openai-chat', ...chunks.map(chunk)).serviceTier;
  t.equal(tier({}, { service_tier: null }), null);
  t.equal(tier({ service_tier: 'auto' }, { service_tier: 'flex' }, {}), 'flex', 'the last one');
  t.equal(body('openai-chat', { choices: [], service_tier: 'priority' }).serviceTier, 'priority');
  const output = [
    { type: 'web_search_call', action: { type: 'search' } },
    { type: 'web_search_call', action: { type: 'open_page' } },
    { type: 'web_search_call' },
    { type: 'message', content: [] },
  ];
  const usage = { input_tokens: 1, output_tokens: 2 };
  const done = { type: 'response.completed', response: { output, usage, service_tier: 'flex' } };
  t.match(stream('openai-responses', JSON.stringify(done)), {
    serviceTier: 'flex',
    usage: { input: 1, search_units: 2 },
  });
  t.equal(body('openai-responses', { output, usage }).usage?.search_units, 2);
  t.equal(body('openai-chat', { usage: { total_tokens: 3, num_search_queries: 4 } }).usage?.search_units, 4);
  t.strictSame(classes(body('openai-transcription', { text: 'hi', duration: 9.1 }).usage), { audio_seconds: 10 });
});

t.test('what an estimate is made of', async (t) => {
  const delta = (value: object, more: object = {}) =>
    JSON.stringify({ choices: [{ index: 0, delta: value }], ...more });
  const call = (name: string, text: string) => ({ tool_calls: [{ index: 0, function: { name, arguments: text } }] });
  const facts = stream(
    'openai-chat',
    delta({ role: 'assistant', content: '' }),
    delta({ content: 'a"b' }, { usage: { prompt_tokens: 1, completion_tokens: 1 } }),
    delta({ content: ' c' }),
    delta({ content: ' d' }),
    delta(call('f', '{}')),
    delta(call('', '')),
  );
  t.match(facts, { contentBytes: 10, contentEvents: 4, usageAtBytes: 3, toolCalls: 1 });
  t.equal(facts.sample.text(), 'a"b c df{}');
  const twice = JSON.stringify({ choices: [{ index: 0, text: 'same', delta: { content: 'same' } }] });
  t.equal(stream('openai-chat', twice).contentBytes, 4, 'Together says it twice');
  const long = stream('openai-chat', ...Array.from({ length: 40 }, () => delta({ content: 'é'.repeat(500) })));
  t.match(long, { contentBytes: 40_000, contentEvents: 40 });
  t.equal(long.sample.length, 16 * 1024, 'bounded');
});

t.test('stated cost', async (t) => {
  const cost = (usage: JsonObject) =>
    body('openai-chat', { usage: { prompt_tokens: 1, completion_tokens: 1, ...usage } }).statedCostUsd;
  t.equal(cost({ cost: 0.5 }), 0.5);
  t.equal(cost({ cost: { total_cost: 0.25 } }), 0.25);
  t.equal(cost({ cost_in_usd_ticks: 1641500 }), 0.00016415);
  t.equal(cost({}), null);
});

t.test('large answers are read without being kept', async (t) => {
  const usage = { prompt_tokens: 3, total_tokens: 3 };
  const data = Array.from({ length: 40 }, (_, index) => ({
    embedding: 'A'.repeat(60_000),
    usage: { prompt_tokens: 99 },
    index,
  }));
  const bytes = Buffer.from(JSON.stringify({ model: 'm"\\é', data, usage }));
  for (const chunks of cuttings(bytes).filter((each) => each.length < 1_000_000)) {
    t.match(read('openai-embeddings', JSON_TYPE, chunks), { model: 'm"\\é', terminal: true, usage: { input: 3 } });
  }
  const images = Buffer.from(JSON.stringify({ data: data.map(({ embedding }) => ({ b64_json: embedding })) }));
  t.strictSame(classes(read('openai-images', JSON_TYPE, [images]).usage), { images: 40 });
  const cut = read('openai-embeddings', JSON_TYPE, [bytes.subarray(0, bytes.length - 1)]);
  t.match(cut, { terminal: false, model: 'm"\\é' });
  const long = read('openai-chat', SSE, [
    Buffer.from(
      `data: {"choices":[{"delta":{"content":"${'x'.repeat(5_000_000)}"}}]}\n\ndata: {"usage":{"prompt_tokens":1}}\n\n`,
    ),
  ]);
  t.match(long, { skipped: true, usage: { input: 1 }, contentBytes: 0 });
});

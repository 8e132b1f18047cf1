import t from 'tap';
import { CountTokensFold, MessagesFold } from '../../../src/dialects/anthropic/fold.js';
import { normaliseMessagesUsage } from '../../../src/dialects/anthropic/usage.js';
import { isObject, type JsonObject, objectIn } from '../../../src/dialects/json-value.js';
import { createResponseReader } from '../../../src/dialects/readers.js';
import { emptyFacts, type ResponseFacts } from '../../../src/dialects/response-reader.js';
import { emptyUsage, type Usage } from '../../../src/dialects/usage.js';
import { allRecordings, cuttings, NO_RECORDINGS, type Recording } from '../recordings.js';

function fold(events: readonly JsonObject[]): ResponseFacts {
  const facts = emptyFacts();
  const reader = new MessagesFold();
  for (const event of events) reader.event(event, facts, '');
  return facts;
}

function classes(usage: Usage | null): Partial<Usage> | null {
  return usage && Object.fromEntries(Object.entries(usage).filter(([, amount]) => amount > 0));
}

function start(usage: JsonObject, model = 'claude-x'): JsonObject {
  return { type: 'message_start', message: { id: 'msg_1', model, content: [], usage } };
}

function end(usage: JsonObject): JsonObject {
  return { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage };
}

function text(said: string): JsonObject {
  return { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: said } };
}

function read(recording: Recording, chunks: readonly Buffer[]): ResponseFacts {
  const reader = createResponseReader(recording.wire, {
    stream: recording.streamed,
    contentType: recording.contentType || (recording.streamed ? 'text/event-stream' : 'application/json'),
  });
  for (const chunk of chunks) reader.push(Buffer.from(chunk));
  reader.end();
  return reader.facts;
}

/** What the provider stated, as classes; AWS' own counts only where the model stated none. */
function expected(stated: JsonObject): Usage | null {
  const metrics = objectIn(stated, 'amazon-bedrock-invocationMetrics');
  return normaliseMessagesUsage(stated) ?? (metrics && normaliseMessagesUsage(metrics));
}

const answers = allRecordings().filter((each) => each.wire === 'anthropic-messages' && each.status === 200);

t.test('every recording, cut in every way', { skip: NO_RECORDINGS }, async (t) => {
  t.ok(answers.length >= 36, `${answers.length} recordings`);
  for (const recording of answers) {
    const all = cuttings(recording.bytes).map((chunks) => read(recording, chunks));
    const facts = all[0];
    if (facts === undefined || recording.usage === null) throw new Error(recording.id);
    for (const other of all) t.strictSame(other, facts, `${recording.id}: same for every cutting`);
    t.strictSame(facts.usage, expected(recording.usage), `${recording.id}: usage`);
    t.equal(facts.terminal, true, `${recording.id}: terminal`);
    t.equal(facts.error, null, `${recording.id}: error`);
    const silent =
      facts.model === null || recording.features.some((each) => each === 'refusal' || each === 'short-stream');
    if (!silent) t.ok(facts.contentBytes > 0, `${recording.id}: content`);
  }
  t.ok(answers.filter((each) => read(each, [each.bytes]).model !== null).length >= 30, 'models are named');
});

t.test('trap 3: Claude inside AWS frames is metered by its own usage, once', { skip: NO_RECORDINGS }, async (t) => {
  const write = answers.find((each) => each.id === 'bedrock-invoke-cache-write-01');
  if (write === undefined) throw new Error('no recording');
  t.strictSame(classes(read(write, [write.bytes]).usage), {
    input: 3,
    cache_read: 9511,
    cache_write_5m: 1956,
    output: 44,
  });
  const stream = answers.find((each) => each.id === 'bedrock-invokestream-parallel-tool-calls-01');
  if (stream === undefined) throw new Error('no recording');
  t.strictSame(classes(read(stream, [stream.bytes]).usage), { input: 392, output: 133 });
});

t.test('usage as classes', async (t) => {
  const cases: readonly [name: string, usage: JsonObject, classes: Partial<Usage> | null][] = [
    ['plain', { input_tokens: 5, output_tokens: 7 }, { input: 5, output: 7 }],
    ['nothing stated', { service_tier: 'standard' }, null],
    ['strings and negative amounts are nothing', { input_tokens: '5', output_tokens: -1 }, null],
    [
      'trap 2: writes are not counted twice',
      {
        input_tokens: 1,
        output_tokens: 2,
        cache_creation_input_tokens: 30,
        cache_creation: { ephemeral_5m_input_tokens: 10, ephemeral_1h_input_tokens: 20 },
        cache_read_input_tokens: 4,
      },
      { input: 1, output: 2, cache_write_5m: 10, cache_write_1h: 20, cache_read: 4 },
    ],
    [
      'no split',
      { input_tokens: 1, output_tokens: 0, cache_creation_input_tokens: 9 },
      { input: 1, cache_write_5m: 9 },
    ],
    [
      'only the split',
      { input_tokens: 1, output_tokens: 0, cache_creation: { ephemeral_1h_input_tokens: 9 } },
      { input: 1, cache_write_1h: 9 },
    ],
    [
      'a split that is older than the sum',
      {
        input_tokens: 1,
        output_tokens: 0,
        cache_creation_input_tokens: 12,
        cache_creation: { ephemeral_5m_input_tokens: 1, ephemeral_1h_input_tokens: 4 },
      },
      { input: 1, cache_write_5m: 8, cache_write_1h: 4 },
    ],
    [
      'thinking and searches',
      {
        input_tokens: 1,
        output_tokens: 100,
        output_tokens_details: { thinking_tokens: 60 },
        server_tool_use: { web_search_requests: 2, web_fetch_requests: 5 },
      },
      { input: 1, output: 40, reasoning: 60, search_units: 2 },
    ],
    [
      'more thinking than output',
      { input_tokens: 0, output_tokens: 3, output_tokens_details: { thinking_tokens: 9 } },
      { reasoning: 3 },
    ],
    [
      'AWS',
      { inputTokenCount: 1, outputTokenCount: 2, cacheReadInputTokenCount: 3 },
      { input: 1, output: 2, cache_read: 3 },
    ],
  ];
  for (const [name, usage, wanted] of cases) t.strictSame(classes(normaliseMessagesUsage(usage)), wanted, name);
});

t.test('trap 4: message_start and message_delta are not summed', async (t) => {
  const facts = fold([start({ input_tokens: 10, output_tokens: 3 }), text('hi'), end({ output_tokens: 8 })]);
  t.strictSame(classes(facts.usage), { input: 10, output: 8 });
});

t.test('case 46: running counts and caches stand as they were stated last', async (t) => {
  const facts = fold([
    start({ input_tokens: 12, cache_read_input_tokens: 700, cache_creation_input_tokens: 40, output_tokens: 2 }),
    text('one'),
    end({ input_tokens: 12, cache_read_input_tokens: 700, cache_creation_input_tokens: 40, output_tokens: 30 }),
    end({ output_tokens: 55 }),
  ]);
  t.strictSame(classes(facts.usage), { input: 12, cache_read: 700, cache_write_5m: 40, output: 55 });
});

t.test('trap 5: input that only message_delta states counts', async (t) => {
  const facts = fold([
    start({ input_tokens: 2479, output_tokens: 1, cache_creation_input_tokens: 5 }),
    end({ input_tokens: 404_500, output_tokens: 80, cache_read_input_tokens: 7, cache_creation_input_tokens: null }),
  ]);
  t.strictSame(classes(facts.usage), { input: 404_500, cache_read: 7, cache_write_5m: 5, output: 80 });
});

t.test('trap 1: cache reads of a stream are cache reads', async (t) => {
  const facts = fold([
    start({ input_tokens: 4, cache_read_input_tokens: 900, output_tokens: 1 }),
    end({ output_tokens: 2 }),
  ]);
  t.strictSame(classes(facts.usage), { input: 4, cache_read: 900, output: 2 });
});

t.test('trap 20: a stream that was cut has its input, and its content to count', async (t) => {
  const facts = fold([start({ input_tokens: 50, output_tokens: 1 }), text('some words')]);
  t.strictSame(classes(facts.usage), { input: 50, output: 1 });
  t.match(facts, { terminal: false, contentBytes: 10, usageAtBytes: 0 });
});

t.test('content, tools, tier and the end', async (t) => {
  const facts = fold([
    start({ input_tokens: 1, output_tokens: 1, service_tier: 'priority' }),
    { type: 'content_block_start', index: 0, content_block: { type: 'thinking', thinking: '', signature: '' } },
    { type: 'content_block_delta', index: 0, delta: { type: 'thinking_delta', thinking: 'hm' } },
    { type: 'content_block_delta', index: 0, delta: { type: 'signature_delta', signature: 'xxxx' } },
    { type: 'content_block_start', index: 1, content_block: { type: 'tool_use', id: 't', name: 'look', input: {} } },
    { type: 'content_block_delta', index: 1, delta: { type: 'input_json_delta', partial_json: '{"a":1}' } },
    {
      type: 'content_block_start',
      index: 2,
      content_block: { type: 'server_tool_use', name: 'web_search', input: {} },
    },
    {
      type: 'content_block_start',
      index: 3,
      content_block: { type: 'web_search_tool_result', content: [{ title: 'x' }] },
    },
    { type: 'message_stop' },
  ]);
  t.match(facts, {
    content: true,
    contentBytes: 23,
    toolCalls: 2,
    model: 'claude-x',
    serviceTier: 'priority',
    terminal: true,
  });
  t.equal(facts.sample.text(), 'hmlook{"a":1}web_search');
});

t.test('a whole body', async (t) => {
  const facts = emptyFacts();
  new MessagesFold().body(
    {
      model: 'claude-x',
      content: [
        { type: 'text', text: 'ab' },
        { type: 'tool_use', name: 'look', input: { a: 1 } },
        { type: 'redacted_thinking', data: 'zzz' },
        null,
      ],
      usage: { input_tokens: 1, output_tokens: 2, service_tier: 'standard' },
    },
    facts,
  );
  t.match(facts, { model: 'claude-x', contentBytes: 13, toolCalls: 1, serviceTier: 'standard' });
  t.strictSame(classes(facts.usage), { input: 1, output: 2 });
});

t.test('trap 40: an error event is an error with its type', async (t) => {
  const facts = fold([
    start({ input_tokens: 9, output_tokens: 1 }),
    { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' }, request_id: 'req_1' },
  ]);
  t.match(facts, { error: 'Overloaded', errorCode: 'overloaded_error', terminal: false });
});

t.test('events without news are not parsed', async (t) => {
  const reader = new MessagesFold();
  for (const type of ['ping', 'content_block_stop']) t.equal(reader.reads(type), false, type);
  for (const type of ['message_start', 'content_block_delta', 'message_stop', 'error', '', 'chunk'])
    t.equal(reader.reads(type), true, type);
});

t.test('counting tokens costs nothing', async (t) => {
  const facts = emptyFacts();
  const reader = new CountTokensFold();
  reader.body({ input_tokens: 671 }, facts);
  t.strictSame(facts.usage, emptyUsage());
  t.equal(facts.content, false);
  for (const recording of allRecordings().filter((each) => each.wire === 'anthropic-count-tokens')) {
    if (recording.status !== 200) continue;
    const counted = read(recording, [recording.bytes]);
    t.strictSame([counted.usage, counted.terminal, counted.error], [emptyUsage(), true, null], recording.id);
  }
});

t.test('strange events change nothing and do not throw', async (t) => {
  for (const event of [
    {},
    { type: 'message_start' },
    { type: 'message_start', message: [] },
    { type: 'content_block_delta', delta: 'x' },
    { type: 'content_block_start', content_block: { type: 5, input: [] } },
    { type: 'message_delta', usage: 7 },
    { 'amazon-bedrock-invocationMetrics': 3 },
  ]) {
    const facts = fold([event]);
    t.strictSame(isObject(facts.usage), false, JSON.stringify(event));
    t.equal(facts.terminal, false);
  }
});

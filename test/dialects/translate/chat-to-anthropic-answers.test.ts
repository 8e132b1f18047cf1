import fc from 'fast-check';
import { ChatCompletionStream } from 'openai/lib/ChatCompletionStream';
import t from 'tap';
import { normaliseMessagesUsage } from '../../../src/dialects/anthropic/usage.js';
import { createEventDecoder } from '../../../src/dialects/event-decoders.js';
import { isObject, type JsonObject, listIn, objectIn, stringIn } from '../../../src/dialects/json-value.js';
import { chatUsage } from '../../../src/dialects/stated-usage.js';
import { problemsOf } from '../../schemas/openai-schema.js';
import { allRecordings, cuttings, NO_RECORDINGS, type Recording } from '../recordings.js';
import {
  ask,
  block,
  callsIn,
  collect,
  finish,
  grammarFaults,
  prepare,
  start,
  streamed,
  TOOLS,
  tool,
} from './claude-calls.js';

/** The provider's events of a recording, for one way of cutting its bytes. */
function eventsOf(recording: Recording, chunks: readonly Buffer[]): JsonObject[] {
  const events: JsonObject[] = [];
  const framing = recording.contentType.includes('amazon') ? 'aws-event-stream' : 'sse';
  const decoder = createEventDecoder(framing, {
    event: (type, data) => void events.push(data['type'] === undefined ? { ...data, type } : data),
    done() {},
    fault: (fault) => void events.push({ type: 'fault', ...fault }),
    skipped: () => void events.push({ type: 'skipped' }),
  });
  for (const chunk of chunks) decoder.push(Buffer.from(chunk));
  decoder.end();
  return events;
}

const answers = allRecordings().filter((each) => each.wire === 'anthropic-messages' && each.status === 200);

t.test('every recorded stream is a stream of chunks', { skip: NO_RECORDINGS }, async (t) => {
  const streams = answers.filter((each) => each.streamed);
  t.ok(streams.length >= 28);
  for (const recording of streams) {
    const call = ask({});
    const [chunks, ...others] = cuttings(recording.bytes).map((each) => streamed(call, eventsOf(recording, each)));
    if (chunks === undefined) throw new Error('no cutting');
    for (const other of others) t.strictSame(other, chunks, `${recording.id}: same for every cutting`);
    t.strictSame(grammarFaults(chunks), [], recording.id);
    if (chunks.at(-1) === 'incomplete') {
      t.match(recording.id, /^bedrock-invokestream-text-0[13]$/, `${recording.id}: only Amazon's own models`);
      continue;
    }
    for (const chunk of chunks.filter(isObject)) {
      const problems = problemsOf('CreateChatCompletionStreamResponse', chunk);
      if (problems.length > 0) t.same(problems, [], recording.id);
    }
    const all = collect(chunks);
    const usage = normaliseMessagesUsage(recording.usage ?? {});
    t.strictSame(all.usage, usage && chatUsage(usage), `${recording.id}: usage`);
    for (const each of all.calls)
      t.doesNotThrow(() => JSON.parse(each.arguments), `${recording.id}: ${each.arguments}`);
    const events = eventsOf(recording, [recording.bytes]);
    const texts = events.map(
      (event) => stringIn(objectIn(event, 'delta') ?? objectIn(event, 'content_block'), 'text') ?? '',
    );
    t.equal(all.content, texts.join(''), `${recording.id}: text`);
    const calls = events.filter((event) => stringIn(objectIn(event, 'content_block'), 'type') === 'tool_use');
    t.equal(all.calls.length, calls.length, `${recording.id}: calls`);
    if (recording.finishReason === 'tool_use') t.strictSame(all.finish, ['tool_calls'], recording.id);
  }
});

t.test("OpenAI's client reads every recorded stream", { skip: NO_RECORDINGS }, async (t) => {
  for (const recording of answers.filter((each) => each.streamed)) {
    const chunks = streamed(ask({}), eventsOf(recording, [recording.bytes])).filter(isObject);
    if (chunks.length === 0 || collect(chunks).finish.length === 0) continue;
    const lines = chunks.map((chunk) => `${JSON.stringify(chunk)}\n`).join('');
    const completion = await ChatCompletionStream.fromReadableStream(new Blob([lines]).stream()).finalChatCompletion();
    const [choice] = completion.choices;
    t.equal(choice?.message.content ?? '', collect(chunks).content, recording.id);
    t.equal(choice?.message.tool_calls?.length ?? 0, collect(chunks).calls.length, `${recording.id}: calls`);
    t.strictSame(completion.usage, collect(chunks).usage, `${recording.id}: usage`);
  }
});

t.test('every recorded answer is a completion', { skip: NO_RECORDINGS }, async (t) => {
  for (const recording of answers.filter((each) => !each.streamed)) {
    const body = JSON.parse(recording.bytes.toString()) as JsonObject;
    const read = ask({}).answer(body);
    t.same(problemsOf('CreateChatCompletionResponse', read), [], recording.id);
    const usage = normaliseMessagesUsage(recording.usage ?? {});
    t.strictSame(read['usage'], usage && chatUsage(usage), `${recording.id}: usage`);
  }
});

t.test('every recorded conversation comes back as it was', { skip: NO_RECORDINGS }, async (t) => {
  const whole = answers.filter((each) => !each.streamed && each.provider === 'anthropic');
  t.ok(whole.length > 3);
  for (const recording of whole) {
    const body = JSON.parse(recording.bytes.toString()) as JsonObject;
    const [choice] = listIn(ask({}).answer(body), 'choices');
    const again = prepare({
      messages: [{ role: 'user', content: 'Hi' }, objectIn(choice, 'message'), { role: 'user', content: 'On.' }],
    });
    const [, assistant] = listIn(again.body, 'messages');
    const blocks = listIn(body, 'content').filter((block) =>
      /^(thinking|redacted_thinking|text|tool_use)$/.test(stringIn(block, 'type') ?? ''),
    );
    t.strictSame(thoughtsAndCalls(listIn(assistant, 'content')), thoughtsAndCalls(blocks), recording.id);
  }
});

/** Without the text, whose blocks are joined, and what only answers have. */
function thoughtsAndCalls(blocks: readonly unknown[]): unknown[] {
  return blocks
    .filter((block) => stringIn(block, 'type') !== 'text')
    .map((block) => {
      const { caller: _answersOnly, ...rest } = isObject(block) ? block : {};
      return rest;
    });
}

t.test('trap 22: a tool without arguments has {} as its arguments', async (t) => {
  const { calls } = collect(
    streamed(ask(TOOLS), [
      start(),
      ...block(0, tool('a'), { type: 'input_json_delta', partial_json: '' }),
      ...finish('tool_use'),
    ]),
  );
  t.strictSame(calls, [{ id: 'a', name: 'look', arguments: '{}' }]);
  t.strictSame(callsIn(objectIn(listIn(ask(TOOLS).answer({ content: [tool('a')] }), 'choices')[0], 'message') ?? {}), [
    ['a', 'look', {}],
  ]);
  const sent = prepare({
    messages: [{ role: 'assistant', tool_calls: [{ id: 'a', function: { name: 'look', arguments: '' } }] }],
    ...TOOLS,
  });
  t.match(listIn(sent.body, 'messages')[1], { content: [{ type: 'tool_use', input: {} }] });
});

t.test('trap 22: a tool block that never closes has {} too', async (t) => {
  const open = block(0, tool('a')).slice(0, 1);
  t.equal(collect(streamed(ask(TOOLS), [start(), ...open, ...finish('tool_use')])).calls[0]?.arguments, '{}');
});

t.test('trap 23: the input of the block start is no prefix of the arguments', async (t) => {
  const deltas = ['{"a"', ':1}'].map((partial_json) => ({ type: 'input_json_delta', partial_json }));
  t.equal(collect(streamed(ask(TOOLS), [start(), ...block(0, tool('a'), ...deltas)])).calls[0]?.arguments, '{"a":1}');
  // Providers that imitate the dialect give it all at once.
  t.equal(collect(streamed(ask(TOOLS), [start(), ...block(0, tool('a', { b: 2 }))])).calls[0]?.arguments, '{"b":2}');
});

t.test('trap 24: the index of a call counts calls, not content blocks', async (t) => {
  const chunks = streamed(ask(TOOLS), [
    start(),
    ...block(0, { type: 'thinking', thinking: 'x', signature: 'c2ln' }),
    ...block(1, { type: 'text', text: 'I look.' }),
    ...block(2, tool('a')),
    ...block(3, { type: 'server_tool_use', id: 's', name: 'web_search' }),
    ...block(4, tool('b')),
    ...finish('tool_use'),
  ]);
  const all = collect(chunks);
  t.strictSame(
    all.calls.map((call) => call.id),
    ['a', 'b'],
  );
  t.strictSame(all.finish, ['tool_calls']);
  t.strictSame(all.thinking, [{ type: 'thinking', thinking: 'x', signature: 'c2ln', index: 0 }]);
});

t.test('trap 25: a call ends with tool_calls, whatever the provider says', async (t) => {
  t.strictSame(collect(streamed(ask(TOOLS), [start(), ...block(0, tool('a')), ...finish('end_turn')])).finish, [
    'tool_calls',
  ]);
});

t.test('trap 29: signatures go out, and come back as they were', async (t) => {
  const content = [
    { type: 'thinking', thinking: 'Hm.', signature: 'c2ln' },
    { type: 'redacted_thinking', data: 'ZGF0YQ==' },
    { type: 'text', text: 'I look.' },
    tool('toolu_1', { place: 'x' }),
  ];
  const chunks = streamed(ask(TOOLS), [
    start(),
    ...block(
      0,
      { type: 'thinking', thinking: '' },
      { type: 'thinking_delta', thinking: 'Hm.' },
      { type: 'signature_delta', signature: 'c2ln' },
    ),
    ...block(1, { type: 'redacted_thinking', data: 'ZGF0YQ==' }),
    ...block(2, { type: 'text', text: '' }, { type: 'text_delta', text: 'I look.' }),
    ...block(3, tool('toolu_1'), { type: 'input_json_delta', partial_json: '{"place":"x"}' }),
    ...finish('tool_use'),
  ]);
  const all = collect(chunks);
  const fromStream = {
    role: 'assistant',
    content: all.content,
    reasoning_content: all.reasoning,
    thinking_blocks: all.thinking,
    tool_calls: all.calls.map(({ id, ...called }) => ({ id, type: 'function', function: called })),
  };
  const whole = objectIn(listIn(ask(TOOLS).answer({ content }), 'choices')[0], 'message');
  for (const message of [fromStream, whole]) {
    const again = prepare({
      messages: [{ role: 'user', content: 'Go.' }, message, { role: 'tool', tool_call_id: 'toolu_1', content: 'x' }],
      ...TOOLS,
      reasoning_effort: 'low',
    });
    t.strictSame(objectIn({ turn: listIn(again.body, 'messages')[1] }, 'turn')?.['content'], content);
    t.match(again.body, { thinking: { type: 'enabled' } });
    t.strictSame(again.warnings, []);
  }
});

t.test('trap 16: usage is told only to who asked for it', async (t) => {
  const events = [start(), ...block(0, { type: 'text', text: 'x' }), ...finish('end_turn')];
  const asked = streamed(ask({}), events);
  const not = streamed(ask({}, 'claude-x', { includeUsage: false }), events);
  t.match(collect(asked).usage, { prompt_tokens: 3, completion_tokens: 5, total_tokens: 8 });
  t.strictSame(collect(not).usage, null);
  t.strictSame(
    not,
    asked.filter((chunk) => !isObject(chunk) || chunk['usage'] === undefined),
  );
});

t.test('trap 40: an error ends the stream without [DONE]', async (t) => {
  const out: unknown[] = [];
  const sink = { event: (_type: string, data: JsonObject) => void out.push(data), done: () => void out.push('[DONE]') };
  const translator = ask({}).stream();
  translator.event('message_start', start(), sink);
  translator.fail({ message: 'Overloaded', code: 'provider_error', status: 503 }, sink);
  translator.event('message_stop', { type: 'message_stop' }, sink);
  translator.done(sink);
  t.strictSame(out.slice(1), [
    { error: { message: 'Overloaded', type: 'api_error', param: null, code: 'provider_error' } },
  ]);
});

t.test('a stream without message_stop is not complete', async (t) => {
  const events = [start(), ...block(0, { type: 'text', text: 'x' }), ...finish('end_turn').slice(0, 1)];
  t.equal(streamed(ask({}), events).at(-1), 'incomplete');
  t.notMatch(JSON.stringify(streamed(ask({}), events)), /DONE|"stop"/);
});

t.test('stop reasons', async (t) => {
  const cases: readonly [string | null, string][] = [
    ['end_turn', 'stop'],
    ['stop_sequence', 'stop'],
    ['pause_turn', 'stop'],
    ['max_tokens', 'length'],
    ['model_context_window_exceeded', 'length'],
    ['refusal', 'content_filter'],
    ['__proto__', 'stop'],
    [null, 'stop'],
  ];
  for (const [stop_reason, wanted] of cases) {
    const read = ask({}).answer({ content: [{ type: 'text', text: 'x' }], stop_reason });
    t.match(read, { choices: [{ finish_reason: wanted }] }, String(stop_reason));
    const events = [start(), ...block(0, { type: 'text', text: 'x' }), ...finish(stop_reason ?? '')];
    t.strictSame(collect(streamed(ask({}), events)).finish, [wanted], String(stop_reason));
  }
  const cut = ask(TOOLS).answer({ content: [tool('a')], stop_reason: 'max_tokens' });
  t.match(cut, { choices: [{ finish_reason: 'length' }] }, 'a call that was cut');
});

t.test('strange streams neither throw nor break the grammar', async () => {
  const text = fc.constantFrom('', 'a', '{"a":1}', 'é');
  const content = fc.oneof(
    fc.record(
      {
        type: fc.constantFrom('text', 'thinking', 'redacted_thinking', 'tool_use', 'server_tool_use', 'odd'),
        text,
        name: fc.constantFrom('look', 'json_answer'),
        id: text,
        data: text,
        input: fc.constantFrom({}, { a: 1 }, null, 'x'),
      },
      { requiredKeys: ['type'] },
    ),
    fc.jsonValue({ maxDepth: 1 }),
  );
  const delta = fc.oneof(
    fc.record(
      {
        type: fc.constantFrom('text_delta', 'thinking_delta', 'signature_delta', 'input_json_delta', 'citations_delta'),
        text,
        thinking: text,
        signature: text,
        partial_json: text,
        citation: fc.constantFrom({ url: 'https://x' }, {}),
      },
      { requiredKeys: ['type'] },
    ),
    fc.jsonValue({ maxDepth: 1 }),
  );
  const index = fc.constantFrom<unknown>(0, 1, 2, '0', null, -1);
  const event = fc.oneof(
    { arbitrary: fc.record({ type: fc.constant('content_block_start'), index, content_block: content }), weight: 3 },
    { arbitrary: fc.record({ type: fc.constant('content_block_delta'), index, delta }), weight: 4 },
    { arbitrary: fc.record({ type: fc.constant('content_block_stop'), index }), weight: 2 },
    fc.constantFrom<JsonObject>(
      start(),
      ...finish('tool_use'),
      { type: 'ping' },
      {},
      { type: 'message_start' },
      { type: 5 },
    ),
    fc.dictionary(fc.constantFrom('type', 'delta', 'usage', 'message', 'index'), fc.jsonValue({ maxDepth: 2 })),
  );
  const formats = fc.constantFrom<JsonObject>(
    {},
    { response_format: { type: 'json_object' } },
    { functions: [{ name: 'look' }] },
  );
  fc.assert(
    fc.property(fc.array(event as fc.Arbitrary<JsonObject>, { maxLength: 25 }), formats, (events, more) => {
      const chunks = streamed(ask({ ...more }), events);
      return grammarFaults(chunks).length === 0;
    }),
    { numRuns: 1500 },
  );
});

import fc from 'fast-check';
import t, { type Test } from 'tap';
import { encodeFrame, type FrameHeader } from '../../../src/codec/aws-event-stream.js';
import { normaliseConverseUsage } from '../../../src/dialects/bedrock/usage.js';
import { createEventDecoder } from '../../../src/dialects/event-decoders.js';
import { isObject, type JsonObject, listIn, objectIn, parseJson, stringIn } from '../../../src/dialects/json-value.js';
import { createFold } from '../../../src/dialects/readers.js';
import { chatUsage } from '../../../src/dialects/stated-usage.js';
import { createClientFraming } from '../../../src/dialects/translate/client-framing.js';
import { TranslatingStream } from '../../../src/dialects/translate/translating-stream.js';
import { emptyUsage } from '../../../src/dialects/usage.js';
import { assertValid } from '../../schemas/openai-schema.js';
import { allRecordings, cutAt, cuttings, NO_RECORDINGS, type Recording } from '../recordings.js';
import { ask, type ConverseEvent, NOVA, prepare, SONNET, streamed, type Written } from './converse-calls.js';

const recordings = allRecordings().filter(({ wire, status }) => wire === 'bedrock-converse' && status === 200);
const streams = recordings.filter((recording) => recording.streamed);

const START: ConverseEvent = ['messageStart', { role: 'assistant' }];
const STOP: ConverseEvent = ['messageStop', { stopReason: 'end_turn' }];
const USAGE: ConverseEvent = [
  'metadata',
  { usage: { inputTokens: 3, outputTokens: 2, cacheReadInputTokens: 4, totalTokens: 9 } },
];

function delta(contentBlockIndex: number, content: JsonObject): ConverseEvent {
  return ['contentBlockDelta', { contentBlockIndex, delta: content }];
}

function tool(contentBlockIndex: number, name: string, id = `t${contentBlockIndex}`): ConverseEvent {
  return ['contentBlockStart', { contentBlockIndex, start: { toolUse: { toolUseId: id, name } } }];
}

function stop(contentBlockIndex: number): ConverseEvent {
  return ['contentBlockStop', { contentBlockIndex }];
}

function deltas({ chunks }: Written): JsonObject[] {
  return chunks.flatMap((chunk) => listIn(chunk, 'choices').map((choice) => objectIn(choice, 'delta') ?? {}));
}

/** The arguments of each call, put together by index as every client does. */
function callsOf(written: Written): string[] {
  const calls: string[] = [];
  for (const each of deltas(written).flatMap((one) => listIn(one, 'tool_calls'))) {
    const index = isObject(each) ? Number(each['index']) : -1;
    calls[index] = (calls[index] ?? '') + (stringIn(objectIn(each, 'function'), 'arguments') ?? '');
  }
  return calls;
}

function textOf(written: Written, member: string): string {
  return deltas(written)
    .map((each) => stringIn(each, member) ?? '')
    .join('');
}

function finishOf({ chunks }: Written): unknown {
  return chunks
    .flatMap((chunk) => listIn(chunk, 'choices'))
    .map((choice) => isObject(choice) && choice['finish_reason'])
    .findLast(Boolean);
}

t.test('trap 22: a tool without parameters is called with an object', async (t) => {
  const tools = [{ type: 'function', function: { name: 'f' } }];
  const silent = streamed(ask({ tools }), [START, tool(0, 'f'), stop(0), STOP]);
  t.strictSame(callsOf(silent), ['{}'], 'no delta at all');
  const empty = streamed(ask({ tools }), [START, tool(0, 'f'), delta(0, { toolUse: { input: '' } }), stop(0), STOP]);
  t.strictSame(callsOf(empty), ['{}'], 'an empty delta');
  const open = streamed(ask({ tools }), [START, tool(0, 'f'), STOP]);
  t.strictSame(callsOf(open), ['{}'], 'the block never ended');
});

t.test('trap 23: nothing is put before arguments that come', async (t) => {
  const written = streamed(ask({}), [
    START,
    tool(0, 'f'),
    delta(0, { toolUse: { input: '{"a"' } }),
    delta(0, { toolUse: { input: ':1}' } }),
    stop(0),
    STOP,
  ]);
  t.strictSame(callsOf(written), ['{"a":1}']);
});

t.test('trap 24: the index counts tools, not blocks, also where they interleave', async (t) => {
  const written = streamed(ask({}), [
    START,
    delta(0, { text: 'Two.' }),
    stop(0),
    tool(1, 'f'),
    tool(3, 'g'),
    delta(3, { toolUse: { input: '{"g":1}' } }),
    delta(1, { toolUse: { input: '{"f":1}' } }),
    stop(1),
    stop(3),
    STOP,
  ]);
  t.strictSame(callsOf(written), ['{"f":1}', '{"g":1}']);
});

t.test('trap 25: the finish tells of calls whatever the model says', async (t) => {
  t.equal(finishOf(streamed(ask({}), [START, tool(0, 'f'), stop(0), STOP])), 'tool_calls');
  t.equal(
    finishOf(streamed(ask({}), [START, delta(0, { text: 'a' }), ['messageStop', { stopReason: 'tool_use' }]])),
    'stop',
    'no call',
  );
  const cases: readonly (readonly [string, string])[] = [
    ['max_tokens', 'length'],
    ['model_context_window_exceeded', 'length'],
    ['content_filtered', 'content_filter'],
    ['guardrail_intervened', 'content_filter'],
    ['stop_sequence', 'stop'],
    ['something_new', 'stop'],
  ];
  for (const [reason, finish] of cases) {
    t.equal(finishOf(streamed(ask({}), [START, ['messageStop', { stopReason: reason }]])), finish, reason);
    t.match(ask({}).answer({ stopReason: reason }), { choices: [{ finish_reason: finish }] }, `${reason}, whole`);
  }
});

t.test('usage is told once, behind the finish, and only to who asked', async (t) => {
  const expected = chatUsage({ ...emptyUsage(), input: 3, output: 2, cache_read: 4 });
  for (const events of [
    [START, STOP, USAGE],
    [START, USAGE, STOP],
  ] as const) {
    const asked = streamed(ask({}, SONNET, { includeUsage: true }), events).chunks;
    t.match(asked.at(-2), { choices: [], usage: expected }, 'whichever comes first');
    t.equal(asked.at(-1), '[DONE]');
    t.equal(asked.filter((chunk) => isObject(chunk) && isObject(chunk['usage'])).length, 1);
    const unasked = streamed(ask({}), events).chunks;
    t.notOk(unasked.some((chunk) => isObject(chunk) && 'usage' in chunk));
  }
  t.strictSame(ask({}).answer({ usage: USAGE[1]['usage'] })['usage'], expected, 'whole');
});

t.test('a stream that breaks ends with an error and nothing else', async (t) => {
  const error = { message: 'Too many', code: 'provider_rate_limited', status: 429 };
  const { chunks } = streamed(ask({}), [START, delta(0, { text: 'a' })], error);
  t.strictSame(chunks.at(-1), {
    error: { message: 'Too many', type: 'rate_limit_error', param: null, code: 'provider_rate_limited' },
  });
  t.notOk(chunks.includes('[DONE]'));
  t.notOk(streamed(ask({}), [START, delta(0, { text: 'a' }), stop(0)]).whole, 'no messageStop: not complete');
});

function frames(events: readonly ConverseEvent[]): Buffer {
  const encode = ([type, data]: ConverseEvent) => {
    const exception = type.endsWith('Exception');
    const headers: [string, FrameHeader][] = [
      [':message-type', { type: 'string', value: exception ? 'exception' : 'event' }],
      [exception ? ':exception-type' : ':event-type', { type: 'string', value: type }],
    ];
    return encodeFrame(new Map(headers), Buffer.from(JSON.stringify(data)));
  };
  return Buffer.concat(events.map(encode));
}

/** The client's bytes for the provider's, through the pipe that the gateway uses. */
function piped(chunks: readonly Buffer[], includeUsage = true): { text: string; stream: TranslatingStream } {
  const stream = new TranslatingStream({
    framing: 'aws-event-stream',
    fold: createFold('bedrock-converse'),
    translator: ask({}, SONNET, { includeUsage, stream: true }).stream(),
    client: createClientFraming('openai-chat', false),
  });
  const pieces = chunks.map((chunk) => {
    const own = Buffer.from(chunk);
    const piece = stream.push(own);
    own.fill(0x7e);
    return piece;
  });
  return { text: Buffer.concat([...pieces, stream.end()]).toString('utf8'), stream };
}

t.test('trap 40: an exception inside a stream of status 200 reaches the client as an error', async (t) => {
  const cases: readonly (readonly [string, string])[] = [
    ['throttlingException', 'provider_rate_limited'],
    ['modelStreamErrorException', 'provider_error'],
    ['internalServerException', 'provider_error'],
    ['validationException', 'provider_error'],
    ['serviceUnavailableException', 'provider_error'],
    ['modelTimeoutException', 'provider_error'],
  ];
  for (const [type, code] of cases) {
    const { text, stream } = piped([frames([START, delta(0, { text: 'Hal' }), [type, { message: 'Oh no' }]])]);
    const last = parseJson(text.trimEnd().split('\n\n').at(-1)?.slice(6) ?? '');
    t.match(last, { error: { message: 'Oh no', code } }, type);
    t.notMatch(text, '[DONE]', type);
    t.ok(stream.failed, type);
  }
});

t.test('a damaged frame reaches the client as an error', async (t) => {
  const bytes = frames([START, delta(0, { text: 'Hallo' }), STOP, USAGE]);
  bytes[bytes.length - 5] = (bytes[bytes.length - 5] ?? 0) ^ 4;
  const { text } = piped([bytes]);
  t.match(text, 'provider_error');
  t.notMatch(text, '[DONE]');
  t.notMatch(piped([bytes.subarray(0, -40)]).text, '[DONE]', 'a cut one too');
});

/** What a strict client checks: one role first, indexes in order, one finish, then usage, then the end. */
function checkGrammar(t: Test, text: string, name: string): void {
  const events = text
    .trimEnd()
    .split('\n\n')
    .map((event) => event.slice('data: '.length));
  t.equal(events.at(-1), '[DONE]', `${name}: ends`);
  const chunks = events.slice(0, -1).map((event) => parseJson(event));
  for (const chunk of chunks) assertValid('CreateChatCompletionStreamResponse', chunk);
  const choices = chunks.flatMap((chunk) => listIn(chunk, 'choices')).filter(isObject);
  t.strictSame(
    choices.map((choice) => objectIn(choice, 'delta')?.['role']).filter(Boolean),
    ['assistant'],
    `${name}: one role`,
  );
  t.equal(objectIn(choices[0], 'delta')?.['role'], 'assistant', `${name}: first`);
  t.strictSame(
    choices.filter((choice) => choice['finish_reason'] !== null),
    choices.slice(-1),
    `${name}: one finish, last`,
  );
  const calls = choices.flatMap((choice) => listIn(objectIn(choice, 'delta'), 'tool_calls'));
  const begun = calls.filter((call) => isObject(call) && 'id' in call).map((call) => isObject(call) && call['index']);
  t.strictSame(
    begun,
    begun.map((_, index) => index),
    `${name}: calls begin in order`,
  );
}

function members(recording: Recording): JsonObject {
  const answer = ask({}).answer(JSON.parse(recording.bytes.toString('utf8')) as JsonObject);
  assertValid('CreateChatCompletionResponse', answer);
  return answer;
}

t.test('trap 37: every recording, cut in every way, is a valid chat stream', { skip: NO_RECORDINGS }, async (t) => {
  t.ok(streams.length >= 13, 'there are recordings');
  for (const { id, bytes, usage } of streams) {
    const [first, ...others] = cuttings(bytes).map((chunks) => piped(chunks).text);
    if (first === undefined) throw new Error('no cutting');
    for (const other of others) t.equal(other, first, `${id}: same for every cutting`);
    checkGrammar(t, first, id);
    const last = parseJson(first.trimEnd().split('\n\n').at(-2)?.slice(6) ?? '');
    const stated = usage === null ? null : normaliseConverseUsage(usage);
    if (stated !== null) t.strictSame(objectIn(last, 'usage'), chatUsage(stated), `${id}: usage`);
  }
});

t.test('every whole recording is a valid chat completion', { skip: NO_RECORDINGS }, async (t) => {
  const whole = recordings.filter((recording) => !recording.streamed);
  t.ok(whole.length >= 6, 'there are recordings');
  for (const recording of whole) {
    const answer = members(recording);
    const stated = normaliseConverseUsage(recording.usage ?? {});
    t.strictSame(answer['usage'], chatUsage(stated ?? emptyUsage()), `${recording.id}: usage`);
    t.ok(listIn(answer, 'choices').length === 1, recording.id);
  }
});

t.test('whole and streamed say the same', { skip: NO_RECORDINGS }, async (t) => {
  for (const { id, bytes } of streams) {
    const events: ConverseEvent[] = [];
    const decoder = createEventDecoder('aws-event-stream', {
      event: (type, data) => void events.push([type, data]),
      done: () => {},
      fault: () => {},
      skipped: () => {},
    });
    decoder.push(bytes);
    const written = streamed(ask({}), events);
    const texts = events.map(([, data]) => stringIn(objectIn(data, 'delta'), 'text') ?? '');
    t.equal(textOf(written, 'content'), texts.join(''), `${id}: text`);
    const thoughts = events.map(
      ([, data]) => stringIn(objectIn(objectIn(data, 'delta'), 'reasoningContent'), 'text') ?? '',
    );
    t.equal(textOf(written, 'reasoning_content'), thoughts.join(''), `${id}: thoughts`);
    for (const call of callsOf(written)) t.ok(isObject(parseJson(call)), `${id}: arguments are an object`);
  }
});

const anyJson = fc.jsonValue({ maxDepth: 2 });
const anyIndex = fc.oneof(fc.nat(3), anyJson);
const anyTool = fc.record(
  {
    toolUseId: fc.oneof(fc.string(), anyJson),
    name: fc.oneof(fc.constantFrom('f', 'final_answer', 'no_tool'), anyJson),
    type: fc.constantFrom('tool_use', 'server_tool_use'),
  },
  { requiredKeys: [] },
);
const anyDelta = fc.oneof(
  fc.record({ text: fc.oneof(fc.string(), anyJson) }),
  fc.record({ toolUse: fc.oneof(fc.record({ input: fc.oneof(fc.string(), anyJson) }), anyJson) }),
  fc.record({
    reasoningContent: fc.oneof(
      fc.record({ text: fc.string(), signature: fc.string(), redactedContent: fc.string() }, { requiredKeys: [] }),
      anyJson,
    ),
  }),
  anyJson,
);
const anyEvent: fc.Arbitrary<ConverseEvent> = fc.oneof(
  fc.constant(START),
  fc.constant(STOP),
  fc.constant(USAGE),
  fc.tuple(
    fc.constant('contentBlockStart'),
    fc.record({ contentBlockIndex: anyIndex, start: fc.oneof(fc.record({ toolUse: anyTool }), anyJson) }),
  ),
  fc.tuple(fc.constant('contentBlockDelta'), fc.record({ contentBlockIndex: anyIndex, delta: anyDelta })),
  fc.tuple(fc.constant('contentBlockStop'), fc.record({ contentBlockIndex: anyIndex })),
  fc.tuple(
    fc.constantFrom('messageStart', 'contentBlockDelta', 'contentBlockStop', 'messageStop', 'metadata', 'toString', ''),
    fc.dictionary(fc.constantFrom('delta', 'usage', 'stopReason', 'start', 'a'), anyJson),
  ),
);

/** Answers may come as a tool's input, and calls of ours may be hidden. */
const schemaCall = () =>
  ask({ response_format: { type: 'json_schema', json_schema: { name: 'a', schema: { type: 'object' } } } }, NOVA, {
    includeUsage: true,
  });

t.test('property: mutilated events never throw, and what is complete is a valid stream', async (t) => {
  fc.assert(
    fc.property(fc.array(anyEvent, { maxLength: 12 }), fc.boolean(), (events, schema) => {
      const call = schema ? schemaCall() : ask({}, SONNET, { includeUsage: true });
      const written = streamed(call, [START, ...events, STOP]);
      const text = written.chunks
        .map((chunk) => `data: ${chunk === '[DONE]' ? chunk : JSON.stringify(chunk)}\n\n`)
        .join('');
      checkGrammar(t, text, 'mutilated');
      for (const arguments_ of callsOf(written)) if (arguments_ === '') throw new Error('a call without arguments');
    }),
    { numRuns: 150 },
  );
});

t.test('property: any cutting of frames gives the same bytes', async (t) => {
  fc.assert(
    fc.property(fc.array(anyEvent, { maxLength: 8 }), fc.array(fc.nat(3000), { maxLength: 10 }), (events, places) => {
      const bytes = frames([START, ...events, STOP, USAGE]);
      const ordered = [...new Set(places)].filter((place) => place < bytes.length).sort((a, b) => a - b);
      t.equal(piped(cutAt(bytes, ordered)).text, piped([bytes]).text);
    }),
    { numRuns: 100 },
  );
});

t.test('property: whole answers of any content never throw and are valid', async () => {
  const anyBlock = fc.oneof(
    fc.record({ text: fc.oneof(fc.string(), anyJson) }),
    fc.record({
      toolUse: fc.oneof(
        fc.record({ toolUseId: fc.string(), name: fc.string(), input: anyJson }, { requiredKeys: [] }),
        anyJson,
      ),
    }),
    fc.record({ reasoningContent: fc.oneof(fc.record({ reasoningText: anyJson, redactedContent: anyJson }), anyJson) }),
    fc.record({ citationsContent: fc.oneof(fc.record({ content: fc.array(anyJson) }), anyJson) }),
    anyJson,
  );
  const anyBody = fc.record(
    {
      output: fc.oneof(fc.record({ message: fc.record({ content: fc.array(anyBlock) }) }), anyJson),
      stopReason: anyJson,
      usage: anyJson,
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(anyBody, (body) => {
      for (const call of [ask({}), schemaCall()]) assertValid('CreateChatCompletionResponse', call.answer(body));
    }),
    { numRuns: 150 },
  );
});

t.test('five turns with a tool keep ids, arguments, signatures and images', async (t) => {
  const tools = [{ type: 'function', function: { name: 'look.up', parameters: { type: 'object' } } }];
  const image = { type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=' } };
  const messages: unknown[] = [{ role: 'user', content: [{ type: 'text', text: 'What is this?' }, image] }];
  for (let turn = 1; turn <= 5; turn += 1) {
    const call = prepare({ messages, tools, reasoning_effort: 'medium', max_tokens: 9000 });
    t.match(call.body, { additionalModelRequestFields: { thinking: { type: 'enabled' } } }, `turn ${turn}: thinks on`);
    const id = `tooluse_${turn}`;
    const whole = call.answer({
      output: {
        message: {
          content: [
            { reasoningContent: { reasoningText: { text: `Thought ${turn}`, signature: `sig${turn}` } } },
            { toolUse: { toolUseId: id, name: 'look_up', input: { turn, nested: { list: [turn] } } } },
          ],
        },
      },
      stopReason: 'tool_use',
    });
    messages.push(objectIn(listIn(whole, 'choices')[0], 'message'), {
      role: 'tool',
      tool_call_id: id,
      content: [{ type: 'text', text: `Result ${turn}` }, image],
    });
  }
  const { body, warnings } = prepare({ messages, tools, reasoning_effort: 'medium', max_tokens: 9000 });
  t.strictSame(warnings, []);
  const turns = listIn(body, 'messages');
  t.equal(turns.length, 11);
  for (let turn = 1; turn <= 5; turn += 1) {
    t.strictSame(listIn(turns[turn * 2 - 1], 'content'), [
      { reasoningContent: { reasoningText: { text: `Thought ${turn}`, signature: `sig${turn}` } } },
      { toolUse: { toolUseId: `tooluse_${turn}`, name: 'look_up', input: { turn, nested: { list: [turn] } } } },
    ]);
    t.match(listIn(turns[turn * 2], 'content'), [
      {
        toolResult: {
          toolUseId: `tooluse_${turn}`,
          content: [{ text: `Result ${turn}` }, { image: { format: 'png' } }],
        },
      },
    ]);
  }
});

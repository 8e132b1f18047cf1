import fc from 'fast-check';
import t from 'tap';
import { normaliseConverseUsage } from '../../../src/dialects/bedrock/usage.js';
import { createEventDecoder } from '../../../src/dialects/event-decoders.js';
import { isObject, type JsonObject, listIn, objectIn, parseJson, stringIn } from '../../../src/dialects/json-value.js';
import { chatUsage } from '../../../src/dialects/stated-usage.js';
import { emptyUsage } from '../../../src/dialects/usage.js';
import { assertValid } from '../../schemas/openai-schema.js';
import { allRecordings, cutAt, cuttings, NO_RECORDINGS, type Recording } from '../recordings.js';
import { ask, type ConverseEvent, NOVA, SONNET, streamed } from './converse-calls.js';
import { callsOf, checkGrammar, frames, piped, START, STOP, textOf, USAGE } from './converse-streams.js';

const recordings = allRecordings().filter(({ wire, status }) => wire === 'bedrock-converse' && status === 200);
const streams = recordings.filter((recording) => recording.streamed);

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

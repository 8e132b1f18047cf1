import Anthropic from '@anthropic-ai/sdk';
import fc from 'fast-check';
import t from 'tap';
import { isObject, type JsonObject, listIn, objectIn, parseJson, stringIn } from '../../../src/dialects/json-value.js';
import { ChatFold } from '../../../src/dialects/openai-chat/fold.js';
import { normaliseUsage } from '../../../src/dialects/openai-usage.js';
import { anthropicUsage } from '../../../src/dialects/stated-usage.js';
import { createClientFraming } from '../../../src/dialects/translate/client-framing.js';
import { messagesToChat } from '../../../src/dialects/translate/messages-to-chat/pair.js';
import { TranslatingStream } from '../../../src/dialects/translate/translating-stream.js';
import type { TranslationContext } from '../../../src/dialects/translate/translation.js';
import { checkMessage, type MessageEvent, type ReadMessage, readMessage } from '../message-grammar.js';
import { allRecordings, cuttings, NO_RECORDINGS, type Recording } from '../recordings.js';
import { contextFor, eventsIn, streamed } from './messages-goldens.js';

const REQUEST = {
  model: 'claude-sonnet-4-5',
  max_tokens: 4096,
  thinking: { type: 'adaptive' },
  stop_sequences: ['#'],
  messages: [{ role: 'user', content: 'Hello.' }],
};

const recordings = allRecordings().filter(({ wire, status }) => wire === 'openai-chat' && status === 200);

function callFor(changes: Partial<TranslationContext> = {}) {
  return messagesToChat.prepare(REQUEST, contextFor({ stream: true, ...changes }));
}

/** The client's bytes for a provider's, through the same pipe as in the gateway. */
function throughPipe(chunks: readonly Buffer[]): Buffer {
  const stream = new TranslatingStream({
    framing: 'sse',
    fold: new ChatFold(),
    translator: callFor().stream(),
    client: createClientFraming('anthropic-messages', false),
  });
  return Buffer.concat([...chunks.map((chunk) => stream.push(chunk)), stream.end()]);
}

/** What the official client makes of a stream. */
async function byClient(bytes: Buffer) {
  const client = new Anthropic({
    apiKey: 'none',
    maxRetries: 0,
    fetch: async () => new Response(new Uint8Array(bytes), { headers: { 'content-type': 'text/event-stream' } }),
  });
  return client.messages
    .stream({ model: 'm', max_tokens: 9, messages: [{ role: 'user', content: 'Hi.' }] })
    .finalMessage();
}

/** What a stream of chat chunks says, read without the code under test. */
function statedBy({ bytes }: Recording) {
  const said = { text: '', calls: [] as { id: string; name: string; arguments: string }[], usage: {} as JsonObject };
  for (const line of bytes.toString().split(/\r\n|\r|\n/)) {
    const chunk = line.startsWith('data: ') ? parseJson(line.slice(6)) : null;
    const choices = listIn(chunk, 'choices');
    const usage = objectIn(chunk, 'usage') ?? objectIn(objectIn(chunk, 'x_groq'), 'usage') ?? {};
    said.usage = { ...said.usage, ...usage };
    const choice = choices.find((each) => isObject(each) && each['index'] === 0);
    const delta = objectIn(choice, 'delta');
    said.text += stringIn(delta, 'content') ?? '';
    for (const part of listIn(delta, 'content')) said.text += stringIn(part, 'text') ?? '';
    for (const call of listIn(delta, 'tool_calls')) {
      const { name, arguments: piece } = objectIn(call, 'function') ?? {};
      // Novita repeats the name with every piece.
      const id = stringIn(call, 'id') ?? '';
      if (typeof name === 'string' && name !== '' && (id === '' || said.calls.at(-1)?.id !== id))
        said.calls.push({ id, name, arguments: '' });
      const last = said.calls.at(-1);
      if (last !== undefined && typeof piece === 'string') last.arguments += piece;
    }
  }
  return said;
}

function textOf(message: JsonObject): string {
  return listIn(message, 'content')
    .map((block) => stringIn(block, 'text') ?? '')
    .join('');
}

function callsOf(message: JsonObject): readonly JsonObject[] {
  return listIn(message, 'content')
    .filter(isObject)
    .filter((block) => block['type'] === 'tool_use');
}

t.test('every recorded stream', { skip: NO_RECORDINGS }, async (t) => {
  const streams = recordings.filter(({ streamed }) => streamed);
  t.ok(streams.length > 40, `${streams.length} streams`);
  for (const recording of streams) {
    const { id, bytes, features, finishReason } = recording;
    const written = throughPipe([bytes]);
    const { message, usageAtStart, error } = readMessage(eventsIn(written));
    t.ok(
      Number(usageAtStart['input_tokens']) + Number(usageAtStart['cache_read_input_tokens']) > 0,
      `${id}: trap 43: input at the start`,
    );
    t.equal(error !== null, features.includes('error-in-stream'), `${id}: an error only where the provider told one`);
    if (error !== null) {
      await t.rejects(byClient(written), `${id}: trap 40: the client hears of it`);
      continue;
    }
    const said = statedBy(recording);
    t.equal(textOf(message), said.text, `${id}: the same text`);
    const calls = callsOf(message);
    t.same(
      calls.map((call) => [call['name'], call['input']]),
      said.calls.map((call) => [call.name, parseJson(call.arguments || '{}')]),
      `${id}: the same calls`,
    );
    t.equal(
      message['stop_reason'],
      finishReason === 'length' ? 'max_tokens' : calls.length > 0 ? 'tool_use' : 'end_turn',
      `${id}: its end`,
    );
    const usage = normaliseUsage(said.usage);
    if (usage !== null)
      t.same(message['usage'], anthropicUsage(usage), `${id}: traps 4, 11, 13: the last usage, not a sum`);
    const read = await byClient(written);
    t.same(
      read.content.map(({ type }) => type),
      listIn(message, 'content').map((block) => stringIn(block, 'type')),
      `${id}: the client reads the same`,
    );
    t.same(
      read.content.filter(({ type }) => type === 'tool_use').map((block) => block.type === 'tool_use' && block.input),
      calls.map((call) => call['input']),
      `${id}: and the same arguments`,
    );
    t.equal(read.usage.output_tokens, objectIn(message, 'usage')?.['output_tokens'], `${id}: and the same usage`);
  }
});

t.test('every cutting of a stream gives the same bytes', { skip: NO_RECORDINGS }, async (t) => {
  const kinds = [
    'parallel-tool-calls',
    'content-array-delta',
    'comment-lines',
    'usage-in-many-chunks',
    'empty-choices-first',
  ];
  for (const kind of [...kinds, 'crlf', 'error-in-stream']) {
    const recording = recordings.find(({ streamed, features }) => streamed && features.includes(kind));
    if (recording === undefined) continue;
    const [whole = [], ...others] = cuttings(recording.bytes);
    const expected = throughPipe(whole).toString();
    for (const chunks of others) t.equal(throughPipe(chunks).toString(), expected, `${recording.id}: ${kind}`);
  }
});

t.test('every recorded whole answer', { skip: NO_RECORDINGS }, async (t) => {
  const whole = recordings.filter(({ streamed }) => !streamed);
  t.ok(whole.length > 50, `${whole.length} answers`);
  for (const { id, bytes, finishReason } of whole) {
    const body = parseJson(bytes.toString()) as JsonObject;
    const message = callFor({ stream: false }).answer(body);
    t.doesNotThrow(() => checkMessage(message), id);
    const said = objectIn(listIn(body, 'choices')[0], 'message');
    const calls = listIn(said, 'tool_calls');
    t.equal(callsOf(message).length, calls.length, `${id}: every call`);
    const text = stringIn(said, 'content');
    if (text !== null && stringIn(said, 'refusal') === null) t.equal(textOf(message), text, `${id}: the text`);
    if (finishReason === 'length') t.equal(message['stop_reason'], 'max_tokens', id);
    const usage = normaliseUsage(objectIn(body, 'usage') ?? {});
    if (usage !== null) t.same(message['usage'], anthropicUsage(usage), `${id}: its usage`);
  }
});

function chunk(delta: JsonObject, more: JsonObject = {}): JsonObject {
  return { id: 'x', model: 'm', choices: [{ index: 0, delta, finish_reason: null, ...more }] };
}

function read(events: readonly JsonObject[], ends: 'done' | 'closed' = 'done'): ReadMessage {
  return readMessage(streamed(callFor(), events, ends));
}

const toolDelta = (index: number, id: string, name: string, args: string): JsonObject =>
  chunk({ tool_calls: [{ index, ...(id && { id }), function: { ...(name && { name }), arguments: args } }] });

t.test('traps', async (t) => {
  t.test('trap 22: a call without arguments', async (t) => {
    const { message } = read([
      toolDelta(0, 'a', 'f', ''),
      toolDelta(1, 'b', 'g', ''),
      chunk({}, { finish_reason: 'tool_calls' }),
    ]);
    t.same(
      callsOf(message).map(({ input }) => input),
      [{}, {}],
    );
  });
  t.test('trap 25: stop with calls is an end for tools', async (t) => {
    const { message } = read([toolDelta(0, 'a', 'f', '{}'), chunk({}, { finish_reason: 'stop' })]);
    t.equal(message['stop_reason'], 'tool_use');
    t.equal(
      read([chunk({ content: 'a' }, { finish_reason: 'tool_calls' })]).message['stop_reason'],
      'end_turn',
      'and the other way round',
    );
  });
  t.test('trap 28: the thought signature of Gemini comes back with the call', async (t) => {
    fc.assert(
      fc.property(fc.oneof(fc.base64String({ minLength: 1 }), fc.string({ minLength: 1 })), (signature) => {
        const call = {
          index: 0,
          id: 'c',
          function: { name: 'f', arguments: '{}' },
          extra_content: { google: { thought_signature: signature } },
        };
        const { message } = read([chunk({ tool_calls: [call] }, { finish_reason: 'tool_calls' })]);
        const content = listIn(message, 'content');
        const result = { type: 'tool_result', tool_use_id: stringIn(content[0], 'id'), content: 'ok' };
        const messages = [
          { role: 'user', content: 'x' },
          { role: 'assistant', content },
          { role: 'user', content: [result] },
        ];
        for (const extended of [true, false]) {
          const { body } = messagesToChat.prepare({ ...REQUEST, messages }, contextFor({ extended }));
          const [, assistant, tool] = listIn(body, 'messages');
          const sent = listIn(assistant, 'tool_calls')[0];
          t.equal(stringIn(sent, 'id'), 'c');
          t.equal(stringIn(tool, 'tool_call_id'), 'c');
          t.match(stringIn(content[0], 'id'), /^[A-Za-z0-9_-]+$/, 'characters that ids may have');
          const back = stringIn(objectIn(objectIn(sent, 'extra_content'), 'google'), 'thought_signature');
          // Lone surrogates are no text that JSON could carry.
          t.equal(back, extended && signature.isWellFormed() ? signature : back);
          if (!extended) t.equal(back, null, 'nobody else gets it');
        }
      }),
      { numRuns: 50 },
    );
  });
  t.test('trap 29: thoughts with a signature come back whole', async (t) => {
    const block = { type: 'thinking', thinking: 'Hm.', signature: 'c2ln' };
    const { message } = read([
      chunk({ reasoning_content: 'Hm.' }),
      chunk({ thinking_blocks: [block] }),
      chunk({ content: 'a' }, { finish_reason: 'stop' }),
    ]);
    t.same(listIn(message, 'content')[0], block);
    const alone = read([
      chunk({ thinking_blocks: [block, { type: 'unknown' }] }),
      chunk({ content: 'a' }, { finish_reason: 'stop' }),
    ]);
    t.same(listIn(alone.message, 'content')[0], block, 'also when its text did not come before');
  });
  t.test('trap 41: an error with empty choices is no empty success', async (t) => {
    const bytes = Buffer.from('data: {"choices":[],"error":{"code":502,"message":"gone"}}\n\ndata: [DONE]\n\n');
    const events = eventsIn(throughPipe([bytes]));
    t.same(
      events.map(({ type }) => type),
      ['error'],
    );
  });
  t.test('trap 42: a first chunk without choices', async (t) => {
    const { message } = read([{ id: '', model: '', choices: [] }, chunk({ content: 'a' }, { finish_reason: 'stop' })]);
    t.equal(message['model'], 'm', 'the model of the first chunk that names one');
  });
});

t.test('ends', async (t) => {
  t.equal(
    read([chunk({ content: 'a' })], 'closed').error?.['message'],
    'It broke off.',
    'no finish reason, no [DONE]: not complete',
  );
  t.equal(
    read([chunk({ content: 'a' }, { finish_reason: 'stop' })], 'closed').error,
    null,
    'no [DONE]: complete by its finish reason',
  );
  t.equal(read([chunk({ content: 'a' })]).error, null, '[DONE] alone (Snowflake)');
  t.equal(read([]).message['stop_reason'], 'end_turn', 'an empty answer');
  t.equal(
    read([chunk({ content: 'a' }, { finish_reason: 'error' })]).error?.['type'],
    'api_error',
    'the provider gave up',
  );
  const late = [
    chunk({ content: 'a' }, { finish_reason: 'stop' }),
    chunk({ content: 'b' }),
    { choices: [], usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 } },
  ];
  t.equal(textOf(read(late).message), 'ab', 'chunks after the finish');
  t.same(objectIn(read(late).message, 'usage')?.['input_tokens'], 3);
  const statuses = [
    [429, 'rate_limit_error'],
    [503, 'overloaded_error'],
    [504, 'timeout_error'],
    [502, 'api_error'],
  ] as const;
  for (const [status, type] of statuses) {
    const written: MessageEvent[] = [];
    const out = {
      event: (name: string, data: JsonObject) => void written.push({ type: name, data }),
      done: () => t.fail('[DONE]'),
    };
    const stream = callFor().stream();
    stream.event('', toolDelta(0, 'a', 'f', '{"x":'), out);
    stream.fail({ message: 'm', code: 'provider_error', status }, out);
    stream.fail({ message: 'm', code: 'provider_error', status }, out);
    stream.event('', chunk({ content: 'late' }), out);
    stream.done(out);
    t.equal(stream.end(out), true, 'nothing is left to tell');
    t.same(readMessage(written).error, { type, message: 'm' });
  }
});

t.test('nothing waits that could be told', async (t) => {
  const written: MessageEvent[] = [];
  const out = { event: (type: string, data: JsonObject) => void written.push({ type, data }), done: () => {} };
  const stream = callFor().stream();
  const steps: readonly (readonly [JsonObject, readonly string[]])[] = [
    [chunk({ role: 'assistant', content: '' }), ['message_start']],
    [chunk({ content: 'a' }), ['content_block_start', 'content_block_delta']],
    [toolDelta(0, 'a', 'f', ''), ['content_block_stop', 'content_block_start']],
    [toolDelta(0, '', '', '{"x":"}'), ['content_block_delta']],
    [toolDelta(1, 'b', 'g', '{}'), []],
    [
      toolDelta(0, '', '', '"}'),
      ['content_block_delta', 'content_block_stop', 'content_block_start', 'content_block_delta'],
    ],
  ];
  for (const [event, types] of steps) {
    const before = written.length;
    stream.event('', event, out);
    t.same(
      written.slice(before).map(({ type }) => type),
      types,
    );
  }
});

interface Piece {
  readonly slot: number;
  readonly text: string;
}

t.test('calls arrive whole, however their pieces are interleaved', async (t) => {
  const value = fc.oneof(
    fc.string(),
    fc.integer(),
    fc.constantFrom('"', '\\', '{"', '}]', '\\"'),
    fc.array(fc.string(), { maxLength: 2 }),
  );
  const args = fc.array(fc.dictionary(fc.stringMatching(/^[a-z]{1,4}$/), value, { maxKeys: 3 }), {
    minLength: 1,
    maxLength: 4,
  });
  fc.assert(
    fc.property(args, fc.infiniteStream(fc.nat()), (calls, random) => {
      const next = (bound: number): number => (random.next().value as number) % bound;
      const rest = calls.map((call) => JSON.stringify(call));
      const pieces: Piece[] = [];
      while (rest.some((text) => text !== '')) {
        const slot = next(rest.length);
        const text = rest[slot] ?? '';
        const size = 1 + next(6);
        pieces.push({ slot, text: text.slice(0, size) });
        rest[slot] = text.slice(size);
      }
      const heads = calls.map((_, slot) => toolDelta(slot, `call_${slot}`, `f${slot}`, ''));
      const deltas = pieces.map(({ slot, text }) => toolDelta(slot, '', '', text));
      const { message } = read([...heads, ...deltas, chunk({}, { finish_reason: 'tool_calls' })]);
      t.same(
        callsOf(message).map(({ id, name, input }) => [id, name, input]),
        calls.map((call, slot) => [`call_${slot}`, `f${slot}`, call]),
      );
    }),
    { numRuns: 200 },
  );
});

t.test('whatever a provider sends, the grammar holds', async (t) => {
  const text = fc.oneof(fc.string(), fc.constant(null), fc.constant(''), fc.integer());
  const call = fc.record(
    {
      index: fc.oneof(fc.nat(2), fc.constant(null)),
      id: fc.constantFrom('', 'a', 'b', null),
      function: fc.record(
        { name: fc.constantFrom('f', '', null), arguments: fc.constantFrom('{}', '{"a":', '1}', '', null) },
        { requiredKeys: [] },
      ),
    },
    { requiredKeys: [] },
  );
  const block = fc.record(
    {
      type: fc.constantFrom('thinking', 'redacted_thinking', 'x'),
      thinking: text,
      signature: fc.constantFrom('s', 't'),
      data: text,
    },
    { requiredKeys: ['signature'] },
  );
  const delta = fc.record(
    {
      role: text,
      content: fc.oneof(text, fc.array(fc.record({ type: text, text }))),
      reasoning: text,
      reasoning_content: text,
      refusal: text,
      tool_calls: fc.array(call, { maxLength: 3 }),
      thinking_blocks: fc.array(block, { maxLength: 2 }),
    },
    { requiredKeys: [] },
  );
  const choice = fc.record(
    {
      index: fc.nat(1),
      delta,
      finish_reason: fc.constantFrom(null, 'stop', 'length', 'tool_calls', 'content_filter', 'error', ''),
    },
    { requiredKeys: ['index'] },
  );
  const event = fc.oneof(
    fc.record({ model: text, choices: fc.array(choice, { maxLength: 2 }) }),
    fc.dictionary(fc.string(), fc.jsonValue()),
  );
  let messages = 0;
  fc.assert(
    fc.property(
      fc.array(event as fc.Arbitrary<JsonObject>, { maxLength: 12 }),
      fc.constantFrom('done' as const, 'closed' as const),
      (events, ends) => {
        const written = streamed(callFor(), events, ends);
        // Arguments that are no object are the model's: everything else is ours.
        const readable = written.map(({ type, data }) =>
          objectIn(data, 'delta')?.['type'] === 'input_json_delta'
            ? { type, data: { ...data, delta: { type: 'input_json_delta', partial_json: ' ' } } }
            : { type, data },
        );
        if (readMessage(readable).error === null) messages += 1;
      },
    ),
    { numRuns: 500 },
  );
  t.ok(messages > 50, `${messages} of them were messages`);
  fc.assert(
    fc.property(event as fc.Arbitrary<JsonObject>, (answer) => {
      const message = callFor({ stream: false }).answer(answer);
      return stringIn(message, 'type') === 'message';
    }),
  );
});

import fc from 'fast-check';
import t from 'tap';
import { type JsonObject, listIn, objectIn, stringIn } from '../../../src/dialects/json-value.js';
import { messagesToChat } from '../../../src/dialects/translate/messages-to-chat/pair.js';
import { type MessageEvent, type ReadMessage, readMessage } from '../message-grammar.js';
import { callFor, callsOf, REQUEST, textOf, throughPipe } from './messages-calls.js';
import { contextFor, eventsIn, streamed } from './messages-goldens.js';

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

import fc from 'fast-check';
import t from 'tap';
import { realtimeEndpoint, withModel } from '../../../src/dialects/openai-realtime/endpoint.js';
import { createResponseReader } from '../../../src/dialects/readers.js';
import type { ResponseFacts } from '../../../src/dialects/response-reader.js';

function frame(text: string, first = 0x81): Buffer {
  const payload = Buffer.from(text);
  const header = Buffer.alloc(10);
  header[0] = first;
  header[1] = 127;
  header.writeBigUInt64BE(BigInt(payload.length), 2);
  return Buffer.concat([header, payload]);
}

function read(...events: readonly (object | string)[]): Readonly<ResponseFacts> {
  const reader = createResponseReader('openai-realtime', { stream: true, contentType: '' });
  for (const event of events) reader.push(frame(typeof event === 'string' ? event : JSON.stringify(event)));
  reader.end();
  return reader.facts;
}

const CREATED = { type: 'session.created', event_id: 'event_1', session: { model: 'gpt-realtime' } };
/** As OpenAI's API reference shows it. */
const DONE = {
  event_id: 'event_3132',
  type: 'response.done',
  response: {
    id: 'resp_001',
    status: 'completed',
    output: [{ type: 'message', content: [{ type: 'output_audio', transcript: 'x' }] }],
    usage: {
      total_tokens: 275,
      input_tokens: 127,
      output_tokens: 148,
      input_token_details: {
        cached_tokens: 64,
        text_tokens: 79,
        audio_tokens: 48,
        cached_tokens_details: { text_tokens: 48, audio_tokens: 16 },
      },
      output_token_details: { text_tokens: 40, audio_tokens: 108 },
    },
  },
};
const ONCE = { input: 31, cache_read: 64, input_audio: 32, output: 40, output_audio: 108 };
const begun = { type: 'response.created', response: { status: 'in_progress' } };
const words = { type: 'response.output_audio_transcript.delta', delta: 'four' };

t.test('the usage of a session is the sum of its responses', async (t) => {
  t.match(read(CREATED, begun, words, DONE), {
    usage: ONCE,
    model: 'gpt-realtime',
    terminal: true,
    contentBytes: 4,
    contentEvents: 1,
  });
  const twice = Object.fromEntries(Object.entries(ONCE).map(([name, tokens]) => [name, 2 * tokens]));
  t.match(read(CREATED, begun, DONE, begun, DONE), { usage: twice, terminal: true });
  t.match(read(CREATED), { usage: { input: 0, output: 0 }, terminal: true, content: false }, 'nothing was asked');
  t.match(
    read(CREATED, begun, DONE, begun, words),
    { usage: ONCE, terminal: false, usageAtBytes: 0, contentBytes: 4 },
    'one is under way',
  );
  t.match(read(CREATED, begun, begun, DONE), { terminal: false }, 'two at once, beside the conversation');
});

t.test('what was heard is transcribed by another model, whose tokens or seconds count too', async (t) => {
  const completed = (usage: object) => ({
    type: 'conversation.item.input_audio_transcription.completed',
    transcript: 'x',
    usage,
  });
  const tokens = {
    type: 'tokens',
    total_tokens: 22,
    input_tokens: 13,
    input_token_details: { text_tokens: 0, audio_tokens: 13 },
    output_tokens: 9,
  };
  t.match(read(CREATED, completed(tokens)), { usage: { input: 0, input_audio: 13, output: 9 }, terminal: true });
  const seconds = { type: 'duration', seconds: 1.2 };
  t.match(read(CREATED, completed(seconds), completed(seconds)), { usage: { audio_seconds: 3 } }, 'rounded up once');
});

t.test('errors', async (t) => {
  const error = { type: 'error', error: { type: 'invalid_request_error', message: 'Invalid value' } };
  t.match(read(CREATED, error), { error: 'Invalid value', terminal: true });
  t.match(read(CREATED, error, begun, DONE), { error: null }, 'the session went on');
  const failed = {
    type: 'response.done',
    response: { status: 'failed', status_details: { error: { message: 'Overloaded' } } },
  };
  t.match(read(CREATED, begun, failed), { error: 'Overloaded', terminal: true, usage: { input: 0 } });
});

t.test('tool calls', async (t) => {
  const item = { type: 'response.output_item.added', item: { type: 'function_call', name: 'weather' } };
  const argument = { type: 'response.function_call_arguments.delta', delta: '{"city"' };
  t.match(read(CREATED, begun, item, argument), { toolCalls: 1, content: true, contentBytes: 14 });
});

t.test('numbers that contradict each other never make a class negative', async () => {
  const amount = fc.oneof(fc.nat(1000), fc.constantFrom(-1, 1.5, 'x', null, 1e300));
  const usage = fc.record({
    input_tokens: amount,
    output_tokens: amount,
    input_token_details: fc.record({
      cached_tokens: amount,
      audio_tokens: amount,
      image_tokens: amount,
      cached_tokens_details: fc.record({ audio_tokens: amount, image_tokens: amount }),
    }),
    output_token_details: fc.record({ audio_tokens: amount }),
  });
  fc.assert(
    fc.property(usage, (stated) => {
      const { usage: found } = read(CREATED, { type: 'response.done', response: { usage: stated } });
      if (found === null) throw new Error('no usage');
      for (const tokens of Object.values(found))
        if (!(Number.isInteger(tokens) && tokens >= 0)) throw new Error(JSON.stringify(found));
      const input = found.input + found.cache_read + found.input_audio + found.input_image;
      if (
        typeof stated.input_tokens === 'number' &&
        stated.input_tokens >= 0 &&
        input !== Math.min(Math.floor(stated.input_tokens), 1e12)
      )
        throw new Error('parts do not add up');
    }),
  );
});

t.test('property: events of any content do no harm, and none is missed for what stands beside it', async () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.jsonValue(), fc.string()), { maxLength: 5 }), (others) => {
      const texts = others.map((each) => (typeof each === 'string' ? each : JSON.stringify(each)));
      const { usage } = read(...texts, CREATED, DONE, ...texts);
      if (usage?.input !== ONCE.input) throw new Error(JSON.stringify(usage));
    }),
  );
});

t.test('an event whose type stands last, and sound that is passed over', async (t) => {
  const { type, response, event_id } = DONE;
  t.match(read(CREATED, { event_id, response, type }), { usage: ONCE });
  t.match(
    read(CREATED, `{"type":"response.output_audio.delta","delta":"${'A'.repeat(100)}`),
    { content: false },
    'not even parsed',
  );
});

t.test('paths', async (t) => {
  const endpoint = realtimeEndpoint('/v1/realtime?intent=transcription&model=p%2Fgpt+x&a=1');
  t.match(endpoint, { method: 'GET', upstreamPath: '/realtime?intent=transcription&a=1', named: { model: 'p/gpt x' } });
  t.equal(withModel('/v1/realtime?intent=x', 'a b&c'), '/v1/realtime?intent=x&model=a%20b%26c');
  t.match(realtimeEndpoint('/v1/realtime'), { upstreamPath: '/realtime', named: { model: '' } });
  t.equal(realtimeEndpoint('/v1/realtime/sessions'), null);
});

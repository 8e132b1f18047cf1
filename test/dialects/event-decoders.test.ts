import t from 'tap';
import { encodeFrame, type FrameHeader } from '../../src/codec/aws-event-stream.js';
import type { AnswerFold } from '../../src/dialects/answer-fold.js';
import { type Framing, framingOf } from '../../src/dialects/event-decoder.js';
import { createEventDecoder } from '../../src/dialects/event-decoders.js';
import { EventReader } from '../../src/dialects/event-reader.js';
import type { JsonObject } from '../../src/dialects/json-value.js';
import { ChatFold } from '../../src/dialects/openai-chat/fold.js';
import { SseReader } from '../../src/dialects/sse-reader.js';
import { allRecordings, cuttings, NO_RECORDINGS, openaiRecordings } from './recordings.js';

/** Everything a decoder told, in order. */
function decode(framing: Framing, chunks: readonly Buffer[]): { told: unknown[]; whole: boolean } {
  const told: unknown[] = [];
  const decoder = createEventDecoder(framing, {
    event: (type, data) => void told.push([type, data]),
    done: () => void told.push('done'),
    fault: (fault) => void told.push(fault),
    skipped: () => void told.push('skipped'),
  });
  for (const chunk of chunks) {
    const own = Buffer.from(chunk);
    decoder.push(own);
    own.fill(0x7e);
  }
  return { told, whole: decoder.end() };
}

function sse(text: string): unknown[] {
  return decode('sse', [Buffer.from(text)]).told;
}

function frame(headers: Readonly<Record<string, string>>, payload: string): Buffer {
  const named = Object.entries(headers).map(([name, value]): [string, FrameHeader] => [
    name,
    { type: 'string', value },
  ]);
  return encodeFrame(new Map(named), Buffer.from(payload));
}

function event(type: string, payload: JsonObject): Buffer {
  return frame({ ':message-type': 'event', ':event-type': type }, JSON.stringify(payload));
}

function chunk(inner: unknown): Buffer {
  return event('chunk', { bytes: Buffer.from(JSON.stringify(inner)).toString('base64'), p: 'abc' });
}

t.test('server-sent events', async (t) => {
  t.strictSame(sse('data: {"a":1}\n\nevent: ping\r\ndata: {}\r\n\r\ndata: [DONE]\n\n'), [
    ['', { a: 1 }],
    ['ping', {}],
    'done',
  ]);
  t.strictSame(sse('data: {"a":\n\ndata: 3\n\ndata: [1]\n\n'), ['skipped', 'skipped', 'skipped'], 'no JSON objects');
  const long = `data: {"a":"${'x'.repeat(4 * 1024 * 1024)}"}\n\ndata: {}\n\n`;
  t.strictSame(sse(long), [['', {}], 'skipped'], 'too long a line');
});

t.test('faults in server-sent events', async (t) => {
  const cases: readonly (readonly [string, string, string, string | null])[] = [
    [
      'Anthropic',
      'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}',
      'Overloaded',
      'overloaded_error',
    ],
    [
      'Groq',
      'event: error\ndata: {"error":{"message":"failed","type":"invalid_request_error","code":"tool_use_failed","status_code":400}}',
      'failed',
      'tool_use_failed',
    ],
    [
      'Responses',
      'event: error\ndata: {"type":"error","code":"server_error","message":"oh","param":null,"sequence_number":3}',
      'oh',
      'server_error',
    ],
    [
      'xAI',
      'event: error\ndata: {"code":"invalid-argument","error":"no such thing"}',
      'no such thing',
      'invalid-argument',
    ],
    ['a number', 'event: error\ndata: {"error":{"message":"slow down","code":429}}', 'slow down', '429'],
    ['plain text', 'event: error\ndata: boom ', 'boom', null],
    ['silent', 'event: error\ndata: {}', '', null],
    ['llama.cpp', 'error: {"code":500,"message":"context shift","type":"server_error"}', 'context shift', '500'],
    ['a bare text', 'error: boom', 'boom', null],
    ['long', `event: error\ndata: ${'x'.repeat(1000)}`, 'x'.repeat(300), null],
  ];
  for (const [name, text, message, code] of cases) t.strictSame(sse(`${text}\n\n`), [{ message, code }], name);
});

t.test('the end of server-sent events', async (t) => {
  const cases: readonly (readonly [string, boolean, readonly unknown[]])[] = [
    ['data: {}\n\n', true, [['', {}]]],
    ['data: {}\n', true, [['', {}]]],
    ['data: {"a":1}', true, [['', { a: 1 }]]],
    ['data: {"a":', false, ['skipped']],
    ['data: [DONE]', true, ['done']],
    ['data: [DO', false, ['skipped']],
    ['data: no\n\n', true, ['skipped']],
    ['', true, []],
  ];
  for (const [text, whole, told] of cases) t.strictSame(decode('sse', [Buffer.from(text)]), { told, whole }, text);
});

t.test('AWS frames', async (t) => {
  const bytes = Buffer.concat([
    event('messageStart', { role: 'assistant', p: 'ab' }),
    chunk({ type: 'message_start', message: {} }),
    chunk({ outputText: 'hi' }),
    event('chunk', { noBytes: 1 }),
    frame({ ':event-type': 'x' }, '{}'),
    frame({ ':message-type': 'event', ':event-type': 'y' }, '{"cut'),
    event('chunk', { bytes: '!!!' }),
  ]);
  const told = [
    ['messageStart', { role: 'assistant', p: 'ab' }],
    ['message_start', { type: 'message_start', message: {} }],
    ['chunk', { outputText: 'hi' }],
    ['chunk', { noBytes: 1 }],
    ['x', {}],
    'skipped',
    'skipped',
  ];
  for (const chunks of cuttings(bytes)) t.strictSame(decode('aws-event-stream', chunks), { told, whole: true });
  const large = event('contentBlockDelta', { text: 'x'.repeat(5 * 1024 * 1024) });
  t.strictSame(decode('aws-event-stream', [large, event('y', {})]).told, ['skipped', ['y', {}]], 'too long an event');
  t.strictSame(decode('aws-event-stream', [bytes.subarray(0, -1)]).whole, false, 'cut');
});

t.test('every exception of a Bedrock stream', async (t) => {
  const names = [
    'throttlingException',
    'modelStreamErrorException',
    'internalServerException',
    'validationException',
    'serviceUnavailableException',
    'modelTimeoutException',
  ];
  for (const code of names) {
    const payload = '{"message":"Too many requests","originalStatusCode":429}';
    const exception = frame({ ':message-type': 'exception', ':exception-type': code }, payload);
    const { told } = decode('aws-event-stream', [Buffer.concat([event('a', {}), exception, event('b', {})])]);
    t.strictSame(told, [['a', {}], { message: 'Too many requests', code }], code);
    const asEvent = frame({ ':message-type': 'event', ':event-type': code }, payload);
    t.strictSame(
      decode('aws-event-stream', [asEvent]).told,
      [{ message: 'Too many requests', code }],
      `${code} as an event`,
    );
  }
});

t.test('other faults of a Bedrock stream', async (t) => {
  const error = { ':message-type': 'error', ':error-code': 'InternalFailure', ':error-message': 'Something broke' };
  const inner = { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } };
  const damaged = Buffer.from(event('a', {}));
  damaged[20] = (damaged[20] ?? 0) ^ 1;
  const cases: readonly (readonly [string, Buffer, string | RegExp, string | null])[] = [
    ['an error', frame(error, ''), 'Something broke', 'InternalFailure'],
    ['an error told in the payload', frame({ ':message-type': 'error' }, '{"Message":"No"}'), 'No', null],
    ['an exception of plain text', frame({ ':message-type': 'exception' }, 'no'), 'no', null],
    ['an error of the model', chunk(inner), 'Overloaded', 'overloaded_error'],
    ['a wrong checksum', damaged, /checksum/, 'damaged_stream'],
  ];
  for (const [name, bytes, message, code] of cases) {
    const { told } = decode('aws-event-stream', [event('first', {}), bytes, event('last', {})]);
    t.match(told, [['first', {}], { message, code }], name);
    t.equal(told.length, 2, `${name}: nothing after it`);
  }
});

t.test('every recording of AWS frames, cut in every way', { skip: NO_RECORDINGS }, async (t) => {
  const streams = allRecordings().filter(
    ({ contentType, status }) => status === 200 && framingOf(contentType, true) === 'aws-event-stream',
  );
  t.ok(streams.length >= 21, 'there are recordings');
  for (const { id, bytes } of streams) {
    const [first, ...others] = cuttings(bytes).map((chunks) => decode('aws-event-stream', chunks));
    t.ok(first?.whole && first.told.length > 0 && first.told.every(Array.isArray), id);
    for (const other of others) t.strictSame(other, first, `${id}: same for every cutting`);
  }
});

t.test(
  'the reader of events knows the same as the reader of server-sent events',
  { skip: NO_RECORDINGS },
  async (t) => {
    for (const { id, bytes, streamed, wire } of openaiRecordings().filter(({ status }) => status === 200)) {
      if (!streamed || wire !== 'openai-chat') continue;
      const [plain, events] = [new SseReader(new ChatFold()), new EventReader('sse', new ChatFold())];
      for (const reader of [plain, events]) {
        reader.push(bytes);
        reader.end();
      }
      t.strictSame(events.facts, plain.facts, id);
    }
  },
);

t.test('a tap sees each event once, after the facts, until there is an error', async (t) => {
  const told: unknown[] = [];
  const reader: EventReader = new EventReader('sse', new ChatFold(), {
    event: (type, data) => void told.push([type, Object.keys(data), reader.facts.contentBytes]),
    done: () => void told.push(['done', reader.facts.terminal]),
  });
  const text = (content: string) => `data: {"choices":[{"index":0,"delta":{"content":"${content}"}}]}\n\n`;
  reader.push(Buffer.from(`${text('ab')}${text('c')}data: [DONE]\n\n`));
  t.strictSame(told, [
    ['', ['choices'], 2],
    ['', ['choices'], 3],
    ['done', true],
  ]);
  t.equal(reader.facts.contentEvents, 2);
  reader.push(Buffer.from(`data: {"error":{"message":"late"}}\n\n${text('d')}data: [DONE]\n\n`));
  t.equal(told.length, 3, 'nothing after an error that the fold found');
  t.equal(reader.facts.error, 'late');
  reader.push(Buffer.from('event: error\ndata: {"error":{"code":"x"}}\n\n'));
  t.strictSame([reader.facts.error, reader.facts.errorCode ?? null], ['late', null], 'the first error stands');
  t.ok(reader.end());
  const mute = new EventReader('sse', new ChatFold());
  mute.push(Buffer.from('event: error\ndata: {"error":{"code":"x"}}\n\n'));
  t.strictSame(mute.streamFault, { message: '', code: 'x' });
  t.strictSame([mute.facts.error, mute.facts.errorCode], ['x', 'x'], 'the code stands for a missing message');
});

t.test('a tap also sees what the fold does not read', async (t) => {
  const told: string[] = [];
  const deaf: AnswerFold = {
    doneEnds: false,
    text: true,
    reads: () => false,
    event: () => {
      throw new Error('not read');
    },
    body: () => {},
  };
  const reader = new EventReader('sse', deaf, { event: (type) => void told.push(type), done: () => {} });
  reader.push(Buffer.from('event: ping\ndata: {}\n\ndata: nonsense\n\ndata: [DONE]\n\n'));
  t.strictSame(told, ['ping']);
  t.strictSame([reader.facts.terminal, reader.facts.skipped], [false, true], 'only some dialects end with [DONE]');
});

t.test('which framing an answer has', async (t) => {
  t.equal(framingOf('text/event-stream; charset=utf-8', false), 'sse');
  t.equal(framingOf('application/vnd.amazon.eventstream', true), 'aws-event-stream');
  t.equal(framingOf('application/json', true), 'json-array');
  t.equal(framingOf('application/json', false), null);
});

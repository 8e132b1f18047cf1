import t from 'tap';
import { encodeFrame, type FrameHeader } from '../../../src/codec/aws-event-stream.js';
import { normaliseConverseUsage } from '../../../src/dialects/bedrock/usage.js';
import type { JsonObject } from '../../../src/dialects/json-value.js';
import { createResponseReader } from '../../../src/dialects/readers.js';
import type { ResponseFacts } from '../../../src/dialects/response-reader.js';
import type { Usage } from '../../../src/dialects/usage.js';
import { allRecordings, cuttings, NO_RECORDINGS } from '../recordings.js';

const FRAMES = 'application/vnd.amazon.eventstream';

function read(contentType: string, chunks: readonly Buffer[]): ResponseFacts {
  const reader = createResponseReader('bedrock-converse', { stream: contentType === FRAMES, contentType });
  for (const chunk of chunks) {
    const own = Buffer.from(chunk);
    reader.push(own);
    own.fill(0x7e);
  }
  reader.end();
  return reader.facts;
}

function stream(...events: readonly (readonly [string, JsonObject])[]): ResponseFacts {
  const frames = events.map(([type, payload]) => {
    const headers: [string, FrameHeader][] = [
      [':message-type', { type: 'string', value: 'event' }],
      [':event-type', { type: 'string', value: type }],
    ];
    return encodeFrame(new Map(headers), Buffer.from(JSON.stringify(payload)));
  });
  return read(FRAMES, frames);
}

function body(value: unknown): ResponseFacts {
  return read('application/json', [Buffer.from(JSON.stringify(value))]);
}

function classes(usage: Usage | null): Partial<Usage> | null {
  if (usage === null) return null;
  return Object.fromEntries(Object.entries(usage).filter(([, amount]) => amount > 0));
}

const recordings = allRecordings().filter(({ wire, status }) => wire === 'bedrock-converse' && status === 200);

t.test('every recording, cut in every way', { skip: NO_RECORDINGS }, async (t) => {
  t.ok(recordings.length >= 19, 'there are recordings');
  for (const { id, bytes, contentType, usage, streamed } of recordings) {
    const [facts, ...others] = cuttings(bytes).map((chunks) => read(contentType, chunks));
    if (facts === undefined) throw new Error('no cutting');
    for (const other of others) t.strictSame(other, facts, `${id}: same for every cutting`);
    t.ok(facts.terminal && facts.content && facts.error === null, `${id}: whole`);
    if (streamed) t.ok(facts.contentEvents > 0, `${id}: events with content`);
    if (usage === null) {
      t.equal(facts.usage, null, id);
      continue;
    }
    const amount = (name: string) => Number(usage[name] ?? 0);
    t.strictSame(classes(facts.usage), classes(normaliseConverseUsage(usage)), `${id}: usage as stated at last`);
    const sum = Object.values(facts.usage ?? {}).reduce((total, each) => total + each, 0);
    t.equal(sum, amount('totalTokens'), `${id}: the classes add up to the stated total`);
    t.equal(facts.usage?.input, amount('inputTokens'), `${id}: input leaves out the cache`);
    t.equal(facts.usageAtBytes, facts.contentBytes, `${id}: nothing came after it`);
  }
});

t.test('usage', async (t) => {
  const stated = { inputTokens: 3, outputTokens: 5, totalTokens: 8 };
  const cases: readonly (readonly [string, JsonObject, Partial<Usage> | null])[] = [
    ['plain', stated, { input: 3, output: 5 }],
    [
      'trap 1: cache reads are no fresh input',
      { ...stated, cacheReadInputTokens: 70 },
      { input: 3, output: 5, cache_read: 70 },
    ],
    [
      'trap 2: both names of one count are one count',
      {
        ...stated,
        cacheWriteInputTokens: 40,
        cacheWriteInputTokenCount: 40,
        cacheReadInputTokens: 7,
        cacheReadInputTokenCount: 7,
      },
      { input: 3, output: 5, cache_read: 7, cache_write_5m: 40 },
    ],
    [
      'written for an hour',
      {
        ...stated,
        cacheWriteInputTokens: 40,
        cacheDetails: [
          { ttl: '1h', inputTokens: 30 },
          { ttl: '5m', inputTokens: 10 },
        ],
      },
      { input: 3, output: 5, cache_write_1h: 30, cache_write_5m: 10 },
    ],
    [
      'details that say more than the sum',
      { ...stated, cacheWriteInputTokens: 10, cacheDetails: [{ ttl: '1h', inputTokens: 30 }] },
      { input: 3, output: 5, cache_write_1h: 10 },
    ],
    [
      'details alone',
      { ...stated, cacheDetails: [{ ttl: '5m', inputTokens: 9 }, null, 3] },
      { input: 3, output: 5, cache_write_5m: 9 },
    ],
    ['nothing stated', { serverToolUsage: {} }, null],
    ['no numbers', { inputTokens: 'x', outputTokens: -1 }, null],
  ];
  for (const [name, usage, expected] of cases) {
    t.strictSame(classes(stream(['metadata', { usage }]).usage), expected, `${name}, streamed`);
    t.strictSame(classes(body({ usage }).usage), expected, `${name}, whole`);
  }
});

t.test('the end comes before the usage', async (t) => {
  const open = stream(
    ['contentBlockDelta', { delta: { text: 'a' } }],
    ['metadata', { usage: { inputTokens: 1, outputTokens: 1 } }],
  );
  t.strictSame([open.terminal, open.usage?.output], [false, 1], 'usage is no end');
  const ended = stream(['messageStop', { stopReason: 'end_turn' }]);
  t.strictSame([ended.terminal, ended.usage], [true, null]);
});

t.test('what counts as content', async (t) => {
  const facts = stream(
    ['messageStart', { role: 'assistant' }],
    ['contentBlockDelta', { contentBlockIndex: 0, delta: { reasoningContent: { text: 'hm' } } }],
    ['contentBlockDelta', { contentBlockIndex: 0, delta: { reasoningContent: { signature: 'long' } } }],
    ['contentBlockStart', { contentBlockIndex: 1, start: { toolUse: { toolUseId: 'a', name: 'look' } } }],
    ['contentBlockDelta', { contentBlockIndex: 1, delta: { toolUse: { input: '{}' } } }],
    ['contentBlockDelta', { contentBlockIndex: 2, delta: { text: 'é' } }],
    ['contentBlockDelta', { contentBlockIndex: 3, delta: { toolResult: [{ text: 'found' }] } }],
  );
  t.strictSame([facts.contentBytes, facts.contentEvents, facts.toolCalls], [10, 4, 1]);
  const whole = body({
    output: {
      message: {
        content: [
          { reasoningContent: { reasoningText: { text: 'hm', signature: 'long' } } },
          { toolUse: { name: 'look', input: { a: 1 } } },
          { toolUse: { name: 'go', input: {} } },
          { citationsContent: { content: [{ text: 'cited' }] } },
          { toolResult: { content: [{ text: 'found' }] } },
          { text: 'x' },
          null,
        ],
      },
    },
  });
  t.strictSame([whole.contentBytes, whole.toolCalls, whole.terminal], [2 + 4 + 7 + 2 + 5 + 1, 2, true]);
});

t.test('tier and routed model', async (t) => {
  const metadata = { serviceTier: { type: 'flex' }, trace: { promptRouter: { invokedModelId: 'arn:aws:bedrock:m' } } };
  for (const facts of [stream(['metadata', metadata]), body(metadata)]) {
    t.strictSame([facts.serviceTier, facts.model], ['flex', 'arn:aws:bedrock:m']);
  }
});

t.test('an exception inside the stream is the answer’s error', async (t) => {
  const facts = stream(
    ['contentBlockDelta', { delta: { text: 'a' } }],
    ['throttlingException', { message: 'Too many tokens' }],
    ['messageStop', {}],
  );
  t.strictSame([facts.error, facts.errorCode, facts.terminal], ['Too many tokens', 'throttlingException', false]);
});

t.test('counting tokens uses nothing', { skip: NO_RECORDINGS }, async (t) => {
  const reader = createResponseReader('bedrock-count-tokens', { stream: false, contentType: 'application/json' });
  reader.push(Buffer.from('{"inputTokens":12}'));
  reader.end();
  t.strictSame([reader.facts.usage?.input, reader.facts.terminal], [0, true]);
});

import t from 'tap';
import type { Wire } from '../../../src/dialects/endpoint.js';
import { modelVersion } from '../../../src/dialects/gemini/model-version.js';
import { createResponseReader } from '../../../src/dialects/readers.js';
import type { ResponseFacts } from '../../../src/dialects/response-reader.js';
import { TOKEN_CLASSES, type Usage } from '../../../src/dialects/usage.js';
import { allRecordings, cuttings, NO_RECORDINGS } from '../recordings.js';

const SSE = 'text/event-stream';
const JSON_TYPE = 'application/json; charset=UTF-8';
const GOOGLE: ReadonlySet<Wire> = new Set(['gemini-generate', 'gemini-count-tokens', 'gemini-embed', 'vertex-predict']);

interface Form {
  readonly contentType: string;
  readonly stream: boolean;
}

function read(wire: Wire, form: Form, chunks: readonly Buffer[]): ResponseFacts {
  const reader = createResponseReader(wire, form);
  for (const chunk of chunks) reader.push(Buffer.from(chunk));
  reader.end();
  return reader.facts;
}

function stream(...chunks: readonly unknown[]): ResponseFacts {
  const text = chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\r\n\r\n`).join('');
  return read('gemini-generate', { contentType: SSE, stream: true }, [Buffer.from(text)]);
}

function body(value: unknown, wire: Wire = 'gemini-generate'): ResponseFacts {
  return read(wire, { contentType: JSON_TYPE, stream: false }, [Buffer.from(JSON.stringify(value))]);
}

function classes(usage: Usage | null): Partial<Usage> | null {
  return usage && Object.fromEntries(Object.entries(usage).filter(([, amount]) => amount > 0));
}

function sum(usage: Usage): number {
  return TOKEN_CLASSES.reduce((total, name) => total + usage[name], 0);
}

/** A chunk with one part of text. */
function text(text: string, more: object = {}, candidate: object = {}): object {
  return { candidates: [{ content: { role: 'model', parts: [{ text }] }, ...candidate }], ...more };
}

/** Its last chunk leaves out the candidates that an earlier one stated, so its own total leaves them out too. */
const SHORT_TOTAL = 'gemini-streamgeneratecontent-structured-output-01';

t.test('every recording of Google, cut in every way', { skip: NO_RECORDINGS }, async (t) => {
  const recordings = allRecordings().filter(({ wire, status }) => GOOGLE.has(wire) && status === 200);
  t.ok(recordings.length >= 40, 'there are recordings');
  for (const { id, wire, bytes, contentType, endpoint, usage: stated } of recordings) {
    const form = { contentType, stream: endpoint === 'gemini.streamGenerateContent' };
    const [facts, ...others] = cuttings(bytes).map((chunks) => read(wire, form, chunks));
    if (facts === undefined) throw new Error('no cutting');
    for (const other of others) t.strictSame(other, facts, `${id}: same for every cutting`);
    t.equal(facts.terminal, true, `${id}: terminal`);
    t.equal(facts.error, null, id);
    if (wire !== 'gemini-generate') continue;
    const amount = (name: string): number => (typeof stated?.[name] === 'number' ? stated[name] : 0);
    if (amount('totalTokenCount') === 0) {
      t.equal(facts.usage, null, `${id}: nothing stated`);
      continue;
    }
    const { usage } = facts;
    if (usage === null) throw new Error(id);
    t.equal(usage.output + usage.output_audio, amount('candidatesTokenCount'), `${id}: output`);
    t.equal(usage.reasoning, amount('thoughtsTokenCount'), `${id}: reasoning`);
    t.equal(usage.cache_read, amount('cachedContentTokenCount'), `${id}: cache`);
    const input = amount('promptTokenCount') + amount('toolUsePromptTokenCount');
    t.equal(usage.input + usage.cache_read + usage.input_audio + usage.input_image, input, `${id}: input`);
    if (id !== SHORT_TOTAL) t.equal(sum(usage), amount('totalTokenCount'), `${id}: total`);
    t.match(facts.model, /^gemini-/, `${id}: model`);
    if (amount('candidatesTokenCount') > 0) t.ok(facts.contentBytes > 0, `${id}: content`);
  }
});

t.test('what else Google bills', async (t) => {
  t.strictSame(classes(body({ totalTokens: 5 }, 'gemini-count-tokens').usage), null, 'counting is free');
  const embedded = { embedding: { values: [1] }, usageMetadata: { promptTokenCount: 11, totalTokenCount: 11 } };
  t.strictSame(classes(body(embedded, 'gemini-embed').usage), { input: 11 });
  const predictions = [{ embeddings: { statistics: { token_count: 4 }, values: [1] } }];
  t.strictSame(classes(body({ predictions }, 'vertex-predict').usage), { input: 4 });
});

t.test('classes', async (t) => {
  const usageMetadata = {
    promptTokenCount: 100,
    cachedContentTokenCount: 30,
    toolUsePromptTokenCount: 7,
    candidatesTokenCount: 20,
    thoughtsTokenCount: 9,
    totalTokenCount: 136,
    promptTokensDetails: [
      { modality: 'TEXT', tokenCount: 60 },
      { modality: 'AUDIO', tokenCount: 25 },
      { modality: 'IMAGE', tokenCount: 15 },
    ],
    cacheTokensDetails: [{ modality: 'AUDIO', tokenCount: 20 }],
    candidatesTokensDetails: [{ modality: 'AUDIO', tokenCount: 12 }],
  };
  const expected = {
    input: 57,
    cache_read: 30,
    input_audio: 5,
    input_image: 15,
    output: 8,
    reasoning: 9,
    output_audio: 12,
  };
  t.strictSame(classes(body({ usageMetadata }).usage), expected);
  t.equal(sum(body({ usageMetadata }).usage as Usage), 136);
  const wild = {
    promptTokenCount: 5,
    cachedContentTokenCount: 9,
    promptTokensDetails: [{ modality: 4, tokenCount: 50 }],
  };
  t.strictSame(classes(body({ usageMetadata: wild }).usage), { cache_read: 5 }, 'parts never exceed the whole');
  const hidden = { promptTokenCount: 5, candidatesTokenCount: 2, totalTokenCount: 20 };
  t.strictSame(
    classes(body({ usageMetadata: hidden }).usage),
    { input: 5, output: 2, reasoning: 13 },
    'untold thoughts',
  );
});

t.test('trap 9: thoughts are part of the output', async (t) => {
  const usageMetadata = {
    promptTokenCount: 8,
    candidatesTokenCount: 437,
    thoughtsTokenCount: 2027,
    totalTokenCount: 2472,
  };
  t.strictSame(classes(body({ usageMetadata }).usage), { input: 8, output: 437, reasoning: 2027 });
});

t.test('trap 10: usage of every chunk is the whole so far, the last one wins', async (t) => {
  const usage = (candidates: number) => ({
    usageMetadata: { promptTokenCount: 5, candidatesTokenCount: candidates, totalTokenCount: 5 + candidates },
  });
  const facts = stream(text('a', usage(1)), text('b', usage(2)), text('c', usage(3), { finishReason: 'STOP' }));
  t.strictSame(classes(facts.usage), { input: 5, output: 3 });
  const traffic = { usageMetadata: { trafficType: 'ON_DEMAND' } };
  t.strictSame(stream(text('a', traffic), text('b', traffic)).usage, null, 'Vertex says nothing before the end');
  t.strictSame(classes(stream(text('a', usage(2)), text('b', traffic)).usage), { input: 5, output: 2 });
});

t.test('trap 1: tokens read from a cache are told apart in streams, too', async (t) => {
  const usageMetadata = { promptTokenCount: 100, cachedContentTokenCount: 90, candidatesTokenCount: 1 };
  t.strictSame(classes(stream(text('a', { usageMetadata })).usage), { input: 10, cache_read: 90, output: 1 });
});

t.test('trap 35: trap 37: a chunk may end inside CRLF, inside a character, inside an event', async (t) => {
  const usage = { usageMetadata: { promptTokenCount: 2, candidatesTokenCount: 3 } };
  const events = [text('é'), text('😀'), text('"\\', usage, { finishReason: 'STOP' })];
  const bytes = Buffer.from(events.map((event) => `data: ${JSON.stringify(event)}\r\n\r\n`).join(''));
  for (let at = 1; at < bytes.length; at += 1) {
    const chunks = [bytes.subarray(0, at), bytes.subarray(at)];
    const facts = read('gemini-generate', { contentType: SSE, stream: true }, chunks);
    t.match(facts, { contentBytes: 8, contentEvents: 3, terminal: true, usage: { input: 2, output: 3 } }, `${at}`);
  }
});

t.test('trap 34: events that end with CRLF are read when they come', async (t) => {
  const reader = createResponseReader('gemini-generate', { contentType: SSE, stream: true });
  reader.push(Buffer.from(`data: ${JSON.stringify(text('hi'))}\r\n\r\n`));
  t.equal(reader.facts.contentBytes, 2);
});

t.test('searches', async (t) => {
  const usageMetadata = { promptTokenCount: 1, totalTokenCount: 1 };
  const grounded = (model: string, ...webSearchQueries: string[]) =>
    text('x', { modelVersion: model, usageMetadata }, { groundingMetadata: { webSearchQueries } });
  t.equal(body(grounded('gemini-3-pro', '', 'a', 'b', 'a')).usage?.search_units, 2, 'each query');
  t.equal(body(grounded('gemini-2.5-pro', 'a', 'b')).usage?.search_units, 1, 'each grounded answer');
  t.equal(body(grounded('gemini-2.5-pro')).usage?.search_units, 0);
  t.equal(stream(grounded('gemini-3-pro', 'a'), grounded('gemini-3-pro', 'a', 'b')).usage?.search_units, 2);
});

t.test('the end, errors, tiers', async (t) => {
  const finish = (reason: unknown, index?: number) => ({ candidates: [{ index, finishReason: reason }] });
  t.equal(stream(text('a')).terminal, false);
  t.equal(stream(text('a'), finish('STOP')).terminal, true);
  t.equal(stream(text('a'), finish(1)).terminal, true, 'a number');
  t.equal(stream(text('a'), finish('FINISH_REASON_UNSPECIFIED')).terminal, false);
  t.equal(stream(finish(undefined, 0), finish(undefined, 1), finish('STOP', 0)).terminal, false, 'one of two');
  t.equal(stream(finish(undefined, 0), finish(undefined, 1), finish('STOP', 0), finish('STOP', 1)).terminal, true);
  t.match(stream({ promptFeedback: { blockReason: 'SAFETY' } }), { terminal: true, blocked: true });
  t.equal(body(text('a')).terminal, true, 'a whole body');
  const error = { error: { code: 429, message: 'Quota', status: 'RESOURCE_EXHAUSTED' } };
  t.match(stream(text('a'), error), { error: 'Quota', errorCode: '429', terminal: false });
  const array = (value: unknown) =>
    read('gemini-generate', { contentType: JSON_TYPE, stream: true }, [Buffer.from(JSON.stringify(value))]);
  t.match(array([text('a'), error]), { error: 'Quota', contentBytes: 1 }, 'an element of the array');
  t.match(array(error), { error: 'Quota' }, 'instead of the array');
  t.match(body([error]), { error: 'Quota' }, 'wrapped in a list');
  t.match(stream(text('a'), [error]), { error: 'Quota', errorCode: '429' }, 'wrapped in a list, as an event');
  const tier = (usageMetadata: object) => body({ usageMetadata }).serviceTier;
  t.equal(tier({ serviceTier: 'flex' }), 'flex');
  t.equal(tier({ trafficType: 'ON_DEMAND_PRIORITY' }), 'priority');
  t.equal(tier({ trafficType: 1 }), null);
});

t.test('content', async (t) => {
  const parts = [
    { text: 'think', thought: true },
    { functionCall: { name: 'f', args: { a: 'é' } } },
    { inlineData: { mimeType: 'image/png', data: 'AAAA' } },
    { executableCode: { code: '1' } },
  ];
  t.match(body({ candidates: [{ content: { parts } }] }), { content: true, toolCalls: 1, contentBytes: 17 });
  t.match(stream(text('ab'), text('c'), text('"é\n'), text('')), { contentBytes: 7, contentEvents: 3 });
  t.match(stream(text('ab'), text('cd', {}, { finishReason: 'STOP' })), { contentBytes: 4, terminal: true });
});

t.test('generations by name', async (t) => {
  const cases: readonly (readonly [string, number])[] = [
    ['gemini-2.0-flash-001', 2],
    ['gemini-2.5-pro', 2.5],
    ['models/gemini-3.1-pro-preview', 3.1],
    ['gemini-3-flash-preview', 3],
    ['gemini-live-2.5-flash', 2.5],
    ['gemini-flash-latest', 100],
    ['gemini-exp-1206', 0],
    ['gemma-3-27b-it', 0],
    ['tuned/abc', 0],
  ];
  for (const [name, version] of cases) t.equal(modelVersion(name), version, name);
});

import fc from 'fast-check';
import t from 'tap';
import { Gateway } from '../../src/gateway/gateway.js';
import type { Peek } from '../../src/gateway/peek.js';
import { RETRY, RETRY_ON } from '../sample-retry.js';
import { CHAT, chatBody, headers, headersReply, SampleParts, sampleSnapshot, target } from './sample-parts.js';

const TOKEN = 'data: {"choices":[{"index":0,"delta":{"content":"é"}}]}\n\n';
const ROLE = 'data: {"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}\n\n';
const ERROR = 'data: {"error":{"message":"overloaded"}}\n\n';
const TOO_LONG = '{"error":{"message":"maximum context length is 10 tokens","code":"context_length_exceeded"}}';
const FILTERED = '{"error":{"message":"filtered","code":"content_filter"}}';
const BAD_KEY = '{"error":{"message":"Incorrect API key","code":"invalid_api_key","type":"invalid_request_error"}}';

interface Answer {
  readonly status?: number;
  readonly type?: string;
  readonly encoding?: string;
  readonly pieces?: readonly string[];
  readonly ends?: boolean;
  readonly model?: string;
  readonly number?: number;
}

function peekAt(parts: SampleParts, model = 'smart', number = 1): Peek {
  const exchange = new Gateway(parts).open(headers(CHAT));
  headersReply(exchange);
  exchange.requestBody(chatBody(model, true), () => undefined);
  if (number === 2) exchange.attempt(2, 'cluster-of-b', () => undefined);
  const peek = exchange.peek(number);
  if (!peek) throw new Error('no such attempt');
  return peek;
}

/** The first verdict that is not "hold", with the clusters that replace the list. */
function look({
  status = 200,
  type = 'text/event-stream',
  encoding,
  pieces = [],
  ends = false,
  ...at
}: Answer): string {
  const peek = peekAt(new SampleParts(), at.model, at.number);
  const more = encoding === undefined ? {} : { 'content-encoding': encoding };
  const first = peek.headers(
    headers({ ':status': String(status), 'content-type': type, ...more }),
    ends && pieces.length === 0,
  );
  let verdict = first;
  pieces.forEach((piece, index) => {
    if (verdict.kind === 'hold') verdict = peek.body(Buffer.from(piece), ends && index === pieces.length - 1);
  });
  return verdict.kind === 'next' && verdict.clusters ? `next ${verdict.clusters.join(' ')}` : verdict.kind;
}

t.test('streams', async (t) => {
  const cases: readonly [string, Answer, string][] = [
    ['headers alone', {}, 'hold'],
    ['a token', { pieces: [TOKEN] }, 'release'],
    ['a role is no token', { pieces: [ROLE] }, 'hold'],
    ['comments', { pieces: [': ping\n\n', ': ping\n\n'] }, 'hold'],
    ['half a token', { pieces: [TOKEN.slice(0, 30)] }, 'hold'],
    ['an error first', { pieces: [': ping\n\n', ERROR] }, 'next'],
    ['an error after a token', { pieces: [TOKEN, ERROR] }, 'release'],
    ['nothing at all', { ends: true }, 'next'],
    ['an empty end', { pieces: [''], ends: true }, 'next'],
    ['comments and the end', { pieces: [': ping\n\n'], ends: true }, 'next'],
    ['[DONE] alone', { pieces: ['data: [DONE]\n\n'], ends: true }, 'next'],
    [
      'an answer of nothing with usage',
      { pieces: ['data: {"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":0}}\n\n'], ends: true },
      'release',
    ],
    ['packed: not looked into', { encoding: 'gzip' }, 'release'],
    ['the last target', { number: 2 }, 'release'],
    ['one target', { model: 'single' }, 'release'],
  ];
  for (const [name, answer, verdict] of cases) t.equal(look(answer), verdict, name);
});

t.test('JSON and errors', async (t) => {
  const json = { type: 'application/json' };
  const cases: readonly [string, Answer, string][] = [
    ['an answer', { ...json, pieces: ['{"choices":[]}'] }, 'release'],
    ['an error inside a 200', { ...json, pieces: [' { "error" : {"message":"x"}}'] }, 'next'],
    ['an error member later on', { ...json, pieces: ['{"choices":[],"error":{}}'] }, 'release'],
    ['429: Envoy retries it', { ...json, status: 429 }, 'release'],
    ['500', { ...json, status: 500 }, 'release'],
    ['400', { ...json, status: 400, pieces: ['{"error":{"message":"bad"}}'], ends: true }, 'release'],
    ['too long', { ...json, status: 400, pieces: [TOO_LONG], ends: true }, 'next cluster-of-a cluster-of-b'],
    [
      'too long in pieces',
      { ...json, status: 400, pieces: [TOO_LONG.slice(0, 20), TOO_LONG.slice(20)], ends: true },
      'next cluster-of-a cluster-of-b',
    ],
    ['too long for the last', { ...json, number: 2, status: 400, pieces: [TOO_LONG], ends: true }, 'release'],
    ['filtered, not configured', { ...json, status: 400, pieces: [FILTERED], ends: true }, 'release'],
    ['a bad credential as 400', { ...json, status: 400, pieces: [BAD_KEY], ends: true }, 'next'],
    ['an endless error', { ...json, status: 400, pieces: ['x'.repeat(70_000)] }, 'release'],
  ];
  for (const [name, answer, verdict] of cases) t.equal(look(answer), verdict, name);
});

t.test('clocks', async (t) => {
  const parts = new SampleParts();
  const peek = peekAt(parts);
  t.equal(peek.deadlineMs, null, 'no clock before the headers');
  parts.time += 10_000;
  peek.headers(headers({ ':status': '200', 'content-type': 'text/event-stream' }), false);
  t.equal(peek.deadlineMs, 20_000, 'the headers took ten seconds of thirty');
  parts.time += 60_000;
  t.equal(peek.deadlineMs, 1, 'never none');
  t.equal(peek.late().kind, 'next');
});

t.test('reasons that are turned off', async (t) => {
  const on = { ...RETRY_ON, firstToken: false, errorEvent: false, empty: false, auth: false, contextLength: false };
  const retry = { ...RETRY, on };
  const targets = [target('a/small', retry, 10), target('b/large', retry, 100)];
  const open = { retryBudget: null, allowUnpriced: false, outputCap: 4096 };
  const model = { name: 'smart', targets, balance: 'ordered', retry, ...open } as const;
  const snapshot = sampleSnapshot({ models: new Map([['smart', model]]) });
  const sse = headers({ ':status': '200', 'content-type': 'text/event-stream' });
  const opened = () => {
    const peek = peekAt(new SampleParts(snapshot));
    t.equal(peek.headers(sse, false).kind, 'hold');
    return peek;
  };
  t.equal(opened().late().kind, 'release');
  t.equal(opened().body(Buffer.from(ERROR), false).kind, 'release');
  t.equal(opened().body(Buffer.alloc(0), true).kind, 'release');
  const refused = peekAt(new SampleParts(snapshot));
  refused.headers(headers({ ':status': '400', 'content-type': 'application/json' }), false);
  t.equal(refused.body(Buffer.from(TOO_LONG), true).kind, 'release');
});

t.test('the verdict does not depend on where the stream is cut', async () => {
  const streams = [`${ROLE}: ping\n\n${TOKEN}`, `: ping\n\n${ERROR}`, `${ROLE}data: [DONE]\n\n`];
  fc.assert(
    fc.property(fc.constantFrom(...streams), fc.array(fc.nat(200), { maxLength: 6 }), (stream, cuts) => {
      const bytes = Buffer.from(stream);
      const peek = peekAt(new SampleParts());
      peek.headers(headers({ ':status': '200', 'content-type': 'text/event-stream' }), false);
      const ends = [...cuts.map((cut) => cut % bytes.length).sort((a, b) => a - b), bytes.length];
      let at = 0;
      let verdict = 'hold';
      for (const end of ends) {
        if (verdict === 'hold') verdict = peek.body(bytes.subarray(at, end), end === bytes.length).kind;
        at = end;
      }
      return verdict === (stream.includes('é') ? 'release' : 'next');
    }),
  );
});

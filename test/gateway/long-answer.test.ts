import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import t from 'tap';
import type { FinalEntry } from '../../src/accounting/ledger/entry.js';
import { GatewayError } from '../../src/dialects/error.js';
import { Gateway } from '../../src/gateway/gateway.js';
import type { LongWork } from '../../src/gateway/long-work/long-work.js';
import type { BodyChange } from '../../src/gateway/reply.js';
import { LOOP_WORK } from './long-work/loop-work.js';
import { CHAT, headers, headersReply, SampleParts } from './sample-parts.js';

const MOST_TOKENS = 10;
const UPSTREAM = { upstream: true, details: 'via_upstream', attempts: 1, cluster: null, failure: null };
const USAGE = { prompt_tokens: 30, completion_tokens: 7, total_tokens: 37 };

/** Long work whose thread dies with whatever it reads. */
const DYING: LongWork = {
  run(job, input, done) {
    if (job === 'read') done(new GatewayError('gateway_unavailable', 'The gateway could not handle this request.'));
    else LOOP_WORK.run(job, input, done);
  },
  close: async () => undefined,
};

interface Told {
  readonly change: BodyChange | null;
  readonly entry: FinalEntry | undefined;
  readonly faults: readonly string[];
  readonly attempts: readonly string[];
}

/** A client of Messages, whose provider of chat completions answers with this. */
function answered(longWork: LongWork, body: Buffer, encoding: Readonly<Record<string, string>> = {}): Told {
  const parts = new SampleParts();
  parts.longWork = longWork;
  const exchange = new Gateway(parts).open(headers({ ...CHAT, ':path': '/v1/messages' }));
  headersReply(exchange);
  const request = { model: 'single', max_tokens: MOST_TOKENS, messages: [{ role: 'user', content: 'Hello' }] };
  exchange.requestBody(Buffer.from(JSON.stringify(request)), () => undefined);
  exchange.responseHeaders(
    headers({ ':status': '200', 'content-type': 'application/json', ...encoding }),
    UPSTREAM,
    false,
  );
  let change: BodyChange | null = null;
  exchange.responseBuffer(body, (told) => {
    change = told;
  });
  exchange.closed();
  if (parts.finals.length !== 1) throw new Error(`settled ${parts.finals.length} times`);
  return { change, entry: parts.finals[0], faults: parts.faults, attempts: parts.attempts };
}

function answerOf(text: string, usage: object | undefined): Buffer {
  const choices = [{ index: 0, message: { role: 'assistant', content: text }, finish_reason: 'stop' }];
  return Buffer.from(JSON.stringify({ id: 'a', object: 'chat.completion', choices, usage, service_tier: 'default' }));
}

const LONG_TEXT = 'ab '.repeat(500_000);

t.test('an answer that its thread took along is an error for the client, and paid for', async (t) => {
  const well = answered(LOOP_WORK, answerOf(LONG_TEXT, USAGE)).entry;
  t.match(well, { type: 'settle', status: 200, usage: { input: 30, output: 7 } });
  const { change, entry, attempts, faults } = answered(DYING, answerOf(LONG_TEXT, USAGE));
  t.match(JSON.parse(String(change?.body)), { type: 'error', error: { type: 'overloaded_error' } });
  t.ok(change?.set?.some(([name, value]) => name === ':status' && value === '503'));
  t.match(entry, { type: 'settle', status: 503, code: 'gateway_unavailable', usage: { input: 30, output: 7 } });
  t.equal(entry?.cost_nano_usd, well?.cost_nano_usd);
  t.same(attempts, ['a success'], 'the provider is not to blame');
  t.same(faults, []);
});

t.test('where its end states no usage, it is estimated, within the client’s own bound', async (t) => {
  const packed = gzipSync(answerOf(randomBytes(1_200_000).toString('base64'), USAGE));
  const quoted = answerOf(`${LONG_TEXT} {"usage": {"prompt_tokens": 1000000, "completion_tokens": 1}}`, undefined);
  const nested = Buffer.from(`{"choices":[{"message":{"content":"${LONG_TEXT}"},"usage":${JSON.stringify(USAGE)}}]}`);
  for (const [name, body, encoding] of [
    ['silent', answerOf(LONG_TEXT, undefined), {}],
    ['packed', packed, { 'content-encoding': 'gzip' }],
    ['quoted', quoted, {}],
    ['not at the top', nested, {}],
  ] as const) {
    const { entry } = answered(DYING, body, encoding);
    t.match(entry, { type: 'estimate', status: 503, usage_source: 'estimated', usage: { output: MOST_TOKENS } }, name);
    t.ok((entry?.usage.input ?? 0) > 0 && (entry?.cost_nano_usd ?? 0) > 0, name);
  }
});

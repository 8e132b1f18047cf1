import t from 'tap';
import { isObject, parseJson } from '../../../src/dialects/json-value.js';
import { chatUsage } from '../../../src/dialects/stated-usage.js';
import { emptyUsage } from '../../../src/dialects/usage.js';
import { ask, SONNET, streamed } from './converse-calls.js';
import { callsOf, delta, finishOf, frames, piped, START, STOP, stop, tool, USAGE } from './converse-streams.js';

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

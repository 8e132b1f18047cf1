import t, { type Test } from 'tap';
import { opened } from './client.js';
import { type Gateway, startGateway } from './harness.js';
import { refusingUrl, type Script, type Scripted, startScripted, streamScript } from './scripted.js';

const PATH = '/v1/chat/completions';
const FIRST_KEY = 'sk-first-0123456789abcdef';
const SECOND_KEY = 'second-0123456789abcdef';

/** How a first target can fail, and the reason that the record gives. */
const FAILURES: readonly (readonly [name: string, script: Script, reason: string])[] = [
  ['429', { status: 429, headers: { 'retry-after': '7' }, chunks: ['{"error":{"message":"slow down"}}'] }, '429'],
  ['500', { status: 500, chunks: ['{"error":{"message":"oops"}}'] }, '500'],
  ['503', { status: 503, chunks: ['busy'] }, '503'],
  ['resetting', { instead: 'reset' }, 'reset'],
  ['closing', { instead: 'close' }, 'reset'],
];

let gateway: Gateway;
let first: Scripted;
let second: Scripted;

t.before(async () => {
  first = await startScripted();
  second = await startScripted();
  t.teardown(() => Promise.all([first.close(), second.close()]).then(() => {}));
  const { port } = new URL(second.baseUrl);
  // A provider for each failure: one that was put aside for an earlier failure must not decide a later test.
  const failing = [...FAILURES.map(([name]) => name), 'late'].map((name) => [
    `first-${name}`,
    { kind: 'openai', base_url: first.baseUrl, credentials: FIRST_KEY },
  ]);
  gateway = await startGateway(t, {
    config: {
      providers: {
        ...Object.fromEntries(failing),
        'first-refusing': { kind: 'openai', base_url: await refusingUrl(), credentials: FIRST_KEY },
        second: { kind: 'azure-openai', base_url: `http://127.0.0.1:${port}/own/path/v1`, credentials: SECOND_KEY },
      },
      models: {
        ...Object.fromEntries(
          [...FAILURES.map(([name]) => name), 'refusing', 'late'].map((name) => [
            `pair-${name}`,
            { targets: [`first-${name}/model-one`, 'second/model-two-with-a-longer-name'] },
          ]),
        ),
        alone: { targets: ['first-500/model-alone'] },
        closed: { targets: ['first-refusing/x'] },
      },
    },
  });
});

const ask = (model: string, stream: boolean) =>
  gateway.post(PATH, { model, stream, seed: 7, messages: [{ role: 'user', content: 'hi' }] });

/** What the second target must have got, whatever happened at the first. */
function checkSecond(t: Test, name: string, stream: boolean): void {
  const capture = second.captures.at(-1);
  const headers: Readonly<Record<string, string>> = capture?.headers ?? {};
  const body = capture?.body ?? Buffer.alloc(0);
  t.equal(capture?.path, '/own/path/v1/chat/completions', name);
  t.equal(headers['api-key'], SECOND_KEY, name);
  t.equal(headers['authorization'], undefined, name);
  t.notOk(JSON.stringify(headers).includes(FIRST_KEY), name);
  t.equal(headers['content-length'], String(body.length), name);
  const sent = JSON.parse(body.toString()) as Record<string, unknown>;
  t.equal(sent['model'], 'model-two-with-a-longer-name', name);
  t.equal(sent['seed'], 7, name);
  t.equal(sent['stream_options'] !== undefined, stream, name);
}

for (const stream of [false, true]) {
  for (const [name, script, reason] of [...FAILURES, ['refusing', {}, 'connect'] as const]) {
    t.test(`first target ${name}, ${stream ? 'stream' : 'whole'}`, async (t) => {
      first.on('model-one', script);
      const answer = await ask(`pair-${name}`, stream);
      t.equal(answer.status, 200);
      t.match(answer.text, stream ? /\[DONE\]\n\n$/ : /"content":"hello"/);
      const record = await gateway.record(answer.headers['x-request-id'] ?? '');
      t.equal(record.target, 'second/model-two-with-a-longer-name');
      t.equal(answer.headers['x-tollgate-provider'], 'second');
      checkSecond(t, name, stream);
      // The second round may find the first target put aside: then one attempt is right.
      if (stream) return;
      t.equal(answer.headers['x-tollgate-attempts'], '2');
      t.equal(record.attempts.length, 2);
      t.match(record.attempts[0], { target: `first-${name}/model-one`, outcome: 'error', reason });
      t.match(record.attempts[1], { target: 'second/model-two-with-a-longer-name', outcome: 'success', status: 200 });
      t.equal(record.usage.output, 1, 'only the answer is paid');
    });
  }
}

t.test('one target alone is tried again, then its error comes through', async (t) => {
  first.on('model-alone', { status: 500, chunks: ['{"error":{"message":"oops"}}'] });
  const failed = await ask('alone', false);
  t.equal(failed.status, 502);
  t.match(failed.text, /"provider_error"/);
  t.equal(first.captures.filter((capture) => capture.model === 'model-alone').length, 2);
  const closed = await ask('closed', false);
  t.equal(closed.status, 503);
  t.match(closed.text, /"upstream_unavailable"/);
  const record = await gateway.record(closed.headers['x-request-id'] ?? '');
  t.equal(record.cost_nano_usd, 0);
});

t.test('after the first content nothing is tried again', async (t) => {
  const script = streamScript('model-one', ['one', 'two']);
  first.on('model-one', { ...script, chunks: script.chunks.slice(0, 3), hold: 3, end: 'reset' });
  const before = second.begun;
  const answer = await opened(gateway.url + PATH, {
    headers: { authorization: `Bearer ${gateway.key}` },
    body: JSON.stringify({ model: 'pair-late', stream: true, messages: [{ role: 'user', content: 'hi' }] }),
  });
  await answer.until('"two"');
  await first.held(1);
  first.on('model-one', {});
  first.release();
  const cut = await answer.finished();
  t.notOk(cut.complete, 'a reset stays a reset');
  t.notMatch(cut.text, /DONE|error/);
  t.equal(second.begun, before);
  const record = await gateway.record(cut.headers['x-request-id'] ?? '');
  t.match(record, { target: 'first-late/model-one', status: 200, usage_source: 'estimated' });
  t.match(record.attempts, [{ target: 'first-late/model-one', outcome: 'error', status: 200, reason: 'reset' }]);
});

t.test('a provider that refuses its credential raises an alarm, and never the client’s 401', async (t) => {
  first.on('model-alone', { status: 401, chunks: ['{"error":{"message":"Incorrect API key provided"}}'] });
  const refused = await ask('alone', false);
  t.equal(refused.status, 502);
  t.match(refused.text, /"provider_auth"/);
  t.match(gateway.logs(), /provider first-500 refuses its credential/);
  t.match(await gateway.metrics(), /^tollgate_provider_auth_failures_total [1-9]/m);
});

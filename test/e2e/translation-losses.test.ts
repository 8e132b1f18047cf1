/** What a target cannot express: refused, named or left to the next target; and counts of tokens, which cost nothing. */
import t from 'tap';
import { anthropicStream, anthropicWhole, bedrockWhole, geminiWhole } from './dialect-answers.js';
import { ask, at, CLIENTS, type Client } from './dialect-clients.js';
import { type Gateway, startGateway } from './harness.js';
import { type Scripted, startScripted } from './scripted.js';

const SECRET = 'secret-of-the-provider-0123456789';

let gateway: Gateway;
let provider: Scripted;

t.before(async () => {
  provider = await startScripted();
  t.teardown(() => provider.close());
  const { origin } = new URL(provider.baseUrl);
  const account = (kind: string, path: string, more: object = {}): object => ({
    kind,
    base_url: origin + path,
    credentials: SECRET,
    ...more,
  });
  gateway = await startGateway(t, {
    config: {
      providers: {
        openai: account('openai', '/v1'),
        anthropic: account('anthropic', '/v1'),
        gemini: account('gemini', '/v1beta'),
        bedrock: account('bedrock', '', { region: 'eu-central-1' }),
        mistral: account('mistral', '/v1'),
      },
      models: {
        strict: { targets: ['anthropic/x'], strict: true },
        'strict-own': { targets: ['openai/x'], strict: true },
        second: { targets: ['anthropic/x', 'openai/x'] },
        'strict-second': { targets: ['anthropic/x', 'openai/x'], strict: true },
      },
      limits: [{ name: 'budget', tokens: { max: 1_000_000, window: 'day' }, requests: { max: 1000, window: 'day' } }],
    },
  });
});

/** A field that changes the meaning, for each client, at a target that has nothing like it. */
const REFUSED: readonly (readonly [client: Client, model: string, more: object, param: string])[] = [
  ['chat', 'anthropic/x', { n: 2 }, 'n'],
  ['chat', 'anthropic/x', { modalities: ['audio'], audio: { voice: 'a', format: 'mp3' } }, 'modalities'],
  ['chat', 'gemini/x', { tools: [{ type: 'custom', custom: { name: 'f' } }] }, 'tools'],
  ['chat', 'bedrock/x', { n: 3 }, 'n'],
  ['responses', 'anthropic/x', { previous_response_id: 'resp_1' }, 'previous_response_id'],
  ['responses', 'mistral/x', { background: true }, 'background'],
  ['messages', 'openai/x', { tools: [{ type: 'computer_20250124', name: 'computer' }] }, 'tools'],
  ['gemini', 'anthropic/x', { cachedContent: 'cachedContents/one' }, 'cachedContent'],
];

async function heldTokens(): Promise<number> {
  const states = await gateway.limits();
  return states.reduce((sum, { held }) => sum + held, 0);
}

t.test('what changes the meaning is refused, and nothing is sent or held', async (t) => {
  const before = provider.captures.length;
  for (const [client, model, more, param] of REFUSED) {
    for (const stream of [false, true]) {
      const answer = await ask(gateway, client, model, { stream, more: more as Readonly<Record<string, unknown>> });
      const title = `${client} at ${model}: ${param}`;
      t.equal(answer.status, 400, `${title}: ${answer.text}`);
      const body: unknown = JSON.parse(answer.text);
      t.match(at(body, 'error', 'message'), new RegExp(param), title);
      if (client === 'chat' || client === 'responses') {
        t.equal(at(body, 'error', 'code'), 'unsupported_parameter', title);
        t.match(at(body, 'error', 'param'), new RegExp(`^${param}`), title);
      }
      const record = await gateway.record(answer.headers['x-request-id'] ?? '');
      const nothing = { target: null, attempts: [], usage: {}, cost_nano_usd: 0 };
      t.match(record, { status: 400, code: 'unsupported_parameter', ...nothing }, title);
    }
  }
  t.equal(provider.captures.length, before, 'nothing was sent');
  t.equal(await heldTokens(), 0, 'nothing is held');
  t.notOk(
    gateway.ledger().some((entry) => entry.type === 'hold'),
    'no hold was written',
  );
});

t.test('what only shapes the answer is left out and named, whole and streamed', async (t) => {
  provider.queue(anthropicWhole('hi'), anthropicStream(['hi']), geminiWhole('hi'), bedrockWhole('hi'));
  const more = { seed: 7, logit_bias: { 5: 1 }, 'our_own, field\u00e9': 1 };
  for (const [model, stream] of [
    ['anthropic/x', false],
    ['anthropic/x', true],
    ['gemini/x', false],
    ['bedrock/x', false],
  ] as const) {
    const answer = await ask(gateway, 'chat', model, { stream, more });
    t.equal(answer.status, 200, answer.text);
    t.match(answer.headers['x-tollgate-warning'], /^not sent to this model: .*logit_bias/, model);
    t.match(answer.headers['x-tollgate-warning'], /our_own\? ?\??field\?/, 'what stands in no header is shown as ?');
    const sent = provider.captures.at(-1)?.body.toString() ?? '';
    t.notMatch(sent, /logit_bias|our_own/, model);
  }
  const neutral = { n: 1, logprobs: false, store: false, parallel_tool_calls: true, seed: null };
  provider.queue(anthropicWhole('hi'));
  const none = await ask(gateway, 'chat', 'anthropic/x', { stream: false, more: neutral });
  t.equal(none.headers['x-tollgate-warning'], undefined, 'what says nothing is no loss');
  const own = await ask(gateway, 'chat', 'openai/x', { stream: false, more });
  t.equal(own.headers['x-tollgate-warning'], undefined, 'its own dialect loses nothing');
  t.match(provider.captures.at(-1)?.body.toString(), /logit_bias.*our_own/);
});

t.test('a strict model leaves nothing out', async (t) => {
  const before = provider.captures.length;
  const more = { logit_bias: { 5: 1 } };
  const refused = await ask(gateway, 'chat', 'strict', { stream: false, more });
  const wanted = { error: { code: 'unsupported_parameter', param: 'logit_bias' } };
  t.match({ status: refused.status, body: JSON.parse(refused.text) }, { status: 400, body: wanted });
  t.equal(provider.captures.length, before);
  t.equal(await heldTokens(), 0);
  provider.queue(anthropicWhole('hi'));
  t.equal((await ask(gateway, 'chat', 'strict', { stream: false })).status, 200);
  t.equal((await ask(gateway, 'chat', 'strict-own', { stream: false, more })).status, 200, 'in its own dialect');
});

t.test('the next target may know what the first does not', async (t) => {
  const before = provider.captures.length;
  const twice = await ask(gateway, 'chat', 'second', { stream: false, more: { n: 2 } });
  t.match(twice.headers, { 'x-tollgate-provider': 'openai', 'x-tollgate-attempts': '1' });
  t.equal(provider.captures.length, before + 1, 'the first was not asked');
  const record = await gateway.record(twice.headers['x-request-id'] ?? '');
  t.match(record.attempts, [{ target: 'openai/x', outcome: 'success' }]);
  const strict = await ask(gateway, 'chat', 'strict-second', { stream: true, more: { logit_bias: { 5: 1 } } });
  t.match(strict.headers, { 'x-tollgate-provider': 'openai' });
  // The first can be asked, fails, and the second loses nothing: its own headers say so.
  provider.queue({ status: 503 });
  const after = await ask(gateway, 'chat', 'second', { stream: false, more: { logit_bias: { 5: 1 } } });
  t.match(after.headers, { 'x-tollgate-provider': 'openai', 'x-tollgate-attempts': '2' });
  t.equal(after.headers['x-tollgate-warning'], undefined);
});

const TEXT = 'How many tokens may this be? '.repeat(20);
const COUNT = { messages: [{ role: 'user', content: TEXT }] };
const GOOGLE_COUNT = { contents: [{ role: 'user', parts: [{ text: TEXT }] }] };
const JSON_TYPE = { 'content-type': 'application/json' };

t.test('counts of tokens: native, translated, and ours', async (t) => {
  const entries = gateway.ledger().length;
  provider.queue({ headers: JSON_TYPE, chunks: ['{"input_tokens": 671}'] });
  const native = await gateway.post('/v1/messages/count_tokens', { model: 'anthropic/x', ...COUNT });
  t.equal(native.text, '{"input_tokens": 671}', 'byte by byte');
  t.equal(provider.captures.at(-1)?.path, '/v1/messages/count_tokens');
  const google = '/v1beta/models/gemini/x:countTokens';
  provider.queue({ headers: JSON_TYPE, chunks: ['{"totalTokens": 31, "promptTokensDetails": []}'] });
  t.equal((await gateway.post(google, GOOGLE_COUNT)).text, '{"totalTokens": 31, "promptTokensDetails": []}');
  t.equal(provider.captures.at(-1)?.path, '/v1beta/models/x:countTokens');
  provider.queue({ headers: JSON_TYPE, chunks: ['{"inputTokens": 99}'] });
  const claude = 'bedrock/eu.anthropic.claude-opus-4-8';
  const translated = await gateway.post('/v1/messages/count_tokens', { model: claude, ...COUNT });
  t.match(JSON.parse(translated.text), { input_tokens: 99 });
  t.equal(provider.captures.at(-1)?.path, '/model/anthropic.claude-opus-4-8/count-tokens');
  await gateway.settled();

  const [asked, before] = [provider.captures.length, gateway.ledger().length];
  t.ok(before > entries, 'a provider that is asked is recorded');
  const own = await gateway.post('/v1/messages/count_tokens', { model: 'openai/x', ...COUNT });
  t.equal(own.status, 200);
  const tokens = Number(at(JSON.parse(own.text), 'input_tokens'));
  t.ok(tokens > 100 && tokens < 300, `${tokens} of about 140`);
  const ours = await gateway.post('/v1beta/models/mistral/x:countTokens', GOOGLE_COUNT);
  const total = Number(at(JSON.parse(ours.text), 'totalTokens'));
  t.ok(total > 100 && total < 300, `${total} of about 140`);
  t.match((await gateway.post('/v1/messages/count_tokens', { model: 'nobody/x', ...COUNT })).status, 404);
  t.equal(provider.captures.length, asked, 'nobody was asked');
  t.equal(gateway.ledger().length, before, 'and nothing booked');
});

t.test('every client is told in its own shape', async (t) => {
  for (const client of CLIENTS) {
    const answer = await ask(gateway, client, 'nobody/x', { stream: false });
    t.equal(answer.status, 404, client);
    t.ok(at(JSON.parse(answer.text), 'error', 'message'), client);
  }
});

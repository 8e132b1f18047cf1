import t from 'tap';
import { matchEndpoint } from '../../src/dialects/endpoints.js';
import { GatewayError } from '../../src/dialects/error.js';
import { Gateway } from '../../src/gateway/gateway.js';
import { readMetadata } from '../../src/gateway/metadata.js';
import type { Reply } from '../../src/gateway/reply.js';
import type { KeyRing, LaterFind } from '../../src/policy/keys/key-ring.js';
import { CHAT, chatBody, headers, headersReply, KEY, NARROW_KEY, SampleParts } from './sample-parts.js';

/** What is said to the request's headers, headersReply, with the code in the body. */
function ask(more: Readonly<Record<string, string>>, last = false, parts = new SampleParts()): string {
  return told(headersReply(new Gateway(parts).open(headers({ ...CHAT, ...more })), last));
}

function told(reply: Reply): string {
  if (reply.kind === 'continue') return 'continue';
  const body = JSON.parse(reply.body.toString()) as { error?: { code: string } };
  return `${reply.status} ${body.error?.code ?? 'ok'}`;
}

t.test('what is refused before the body', async (t) => {
  const cases: readonly [string, Readonly<Record<string, string>>, string][] = [
    ['all is well', {}, 'continue'],
    ['a query', { ':path': '/v1/chat/completions?x=1' }, 'continue'],
    ['another path', { ':path': '/v1/chat' }, '404 not_found'],
    ['another method', { ':method': 'GET' }, '404 not_found'],
    ['an unknown key', { authorization: 'Bearer sk-other' }, '401 invalid_api_key'],
    ['no key', { authorization: '' }, '401 invalid_api_key'],
    ['two keys', { 'x-api-key': 'sk-other' }, '400 ambiguous_credentials'],
    ['the same key twice', { 'x-api-key': KEY }, 'continue'],
    [
      'a key for other paths',
      { authorization: `Bearer ${NARROW_KEY}`, ':path': '/v1/embeddings' },
      '403 model_not_allowed',
    ],
    ['a large body', { 'content-length': '1025' }, '413 request_too_large'],
    ['the largest body', { 'content-length': '1024' }, 'continue'],
    ['a packed body', { 'content-encoding': 'gzip' }, '415 unsupported_media_type'],
    ['a body packed by name only', { 'content-encoding': 'identity' }, 'continue'],
    ['another type', { 'content-type': 'text/plain' }, '415 unsupported_media_type'],
    ['metadata that is none', { 'x-tollgate-metadata': '[1]' }, '400 invalid_metadata'],
    ['the list of models', { ':method': 'GET', ':path': '/v1/models' }, '200 ok'],
    ['one model', { ':method': 'GET', ':path': '/v1/models/smart' }, '200 ok'],
    ['an unknown model', { ':method': 'GET', ':path': '/v1/models/x' }, '404 model_not_found'],
  ];
  for (const [name, more, answer] of cases) t.equal(ask(more), answer, name);
  t.equal(ask({}, true), '400 invalid_json', 'no body');
});

t.test('a base URL without /v1', async (t) => {
  const words = (path: string) => {
    const reply = headersReply(new Gateway(new SampleParts()).open(headers({ ...CHAT, ':path': path })));
    return reply.kind === 'refuse' ? reply.body.toString() : '';
  };
  t.match(words('/chat/completions?key=x'), 'Did you mean /v1/chat/completions?');
  t.notMatch(words('/chat/other'), 'Did you mean');
});

t.test('what is told about refusals', async (t) => {
  const parts = new SampleParts();
  ask({ authorization: 'Bearer sk-other' }, false, parts);
  ask({ 'content-encoding': 'gzip' }, false, parts);
  t.match(parts.unrecorded, [
    { status: 401, key: null },
    { status: 415, key: 'web', code: 'unsupported_media_type' },
  ]);
  ask({ 'x-tollgate-metadata': '1' }, false, parts);
  t.match(parts.finals, [{ type: 'refusal', status: 400, cost_nano_usd: 0, code: 'invalid_metadata', attempts: [] }]);
  const secret = headersReply(new Gateway(parts).open(headers({ ...CHAT, ':path': '/x?key=sk-secret' })), true);
  t.notMatch(secret.kind === 'refuse' && secret.body.toString(), 'sk-secret', 'a query can hold a key');
  t.equal(matchEndpoint('POST', '/x'), null);
});

t.test('metadata', async (t) => {
  t.same({ ...readMetadata('{"team":"a","n":1,"on":true}') }, { team: 'a', n: '1', on: 'true' });
  t.same({ ...readMetadata(Buffer.from('{"team":"é"}').toString('latin1')) }, { team: 'é' });
  t.same({ ...readMetadata('{"__proto__":"x"}') }, JSON.parse('{"__proto__":"x"}'));
  for (const none of [undefined, '', '{}']) t.same({ ...readMetadata(none) }, {});
  for (const bad of ['null', '[]', '"x"', '{', '{"a":{}}', '{"a":null}', `{"a":"${'x'.repeat(1024)}"}`]) {
    t.throws(() => readMetadata(bad), GatewayError, bad.slice(0, 20));
  }
});

t.test('the labels of a key win', async (t) => {
  const parts = new SampleParts();
  const metadata = { 'x-tollgate-metadata': '{"team":"other","feature":"x","user":"u"}' };
  const exchange = new Gateway(parts).open(headers({ ...CHAT, ...metadata }));
  headersReply(exchange);
  exchange.requestBody(chatBody('smart', false), () => undefined);
  t.match(parts.holds, [{ labels: { team: 'search', feature: 'x' }, user: 'u', key: 'web' }]);
});

t.test('who guesses keys is slowed down, who has one is not', async (t) => {
  const parts = new SampleParts();
  const from = (address: string, key: string) =>
    ask({ authorization: `Bearer ${key}`, 'x-forwarded-for': address }, false, parts);
  for (let number = 0; number < 20; number += 1) t.equal(from('10.0.0.1', `sk-guess-${number}`), '401 invalid_api_key');
  t.equal(from('10.0.0.1', 'sk-guess'), '429 rate_limit_exceeded');
  t.equal(from('10.0.0.1', KEY), 'continue', 'a valid key from the same address');
  t.equal(from('10.0.0.2', 'sk-guess'), '401 invalid_api_key', 'another address');
  parts.time += 10_000;
  t.equal(from('10.0.0.1', 'sk-guess'), '401 invalid_api_key', 'after a while');
});

t.test('a key that has to be verified elsewhere', async (t) => {
  const parts = new SampleParts();
  const waiting: ((found: LaterFind) => void)[] = [];
  const keys: KeyRing = { find: () => null, findLater: (_secret, _now, done) => waiting.push(done) > 0 };
  const rules = parts.rules();
  Object.defineProperty(parts, 'rules', { value: () => ({ ...rules, keys }) });
  const opened = () => {
    const exchange = new Gateway(parts).open(headers(CHAT));
    const replies: string[] = [];
    exchange.requestHeaders(false, (reply) => replies.push(told(reply)));
    return { exchange, replies };
  };
  const answered = (found: LaterFind) => {
    const { replies } = opened();
    t.same(replies, [], 'no answer yet');
    waiting.shift()?.(found);
    return replies;
  };
  const key = { id: 'jwt:ann', labels: {}, models: null, expiresAt: null };
  t.same(answered({ kind: 'found', key }), ['continue']);
  t.same(answered({ kind: 'unknown' }), ['401 invalid_api_key']);
  t.same(answered({ kind: 'unavailable', reason: 'no key set' }), ['503 gateway_unavailable']);
  const { exchange, replies } = opened();
  exchange.closed();
  waiting.shift()?.({ kind: 'found', key });
  t.same(replies, [], 'the client has left meanwhile');
});

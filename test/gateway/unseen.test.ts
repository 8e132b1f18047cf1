import t from 'tap';
import { matchEndpoint } from '../../src/dialects/endpoints.js';
import { Gateway } from '../../src/gateway/gateway.js';
import type { Reply } from '../../src/gateway/reply.js';
import { passesRaw } from '../../src/gateway/unseen.js';
import { PROVIDER_KINDS } from '../../src/providers/registry.js';
import { headers, headersReply, KEY, SampleParts } from './sample-parts.js';

const RAW = {
  ':method': 'PUT',
  ':path': '/providers/a/v1/things',
  authorization: `Bearer ${KEY}`,
  'x-request-id': 'r',
};

/** What is said to headers that a body follows; provider `a` is of this kind. */
function ask(kind: string, more: Readonly<Record<string, string>> = {}): Reply {
  const parts = new SampleParts();
  const named = new Map([...PROVIDER_KINDS].map(([name, each]) => [name, each] as const));
  const wanted = named.get(kind);
  const current = parts.rules().snapshot.providers.get('a')?.kind ?? '';
  if (!wanted || current === '') throw new Error('no such kind');
  Object.assign(parts, { kinds: new Map([...parts.kinds, [current, wanted]]) });
  return headersReply(new Gateway(parts).open(headers({ ...RAW, ...more })));
}

t.test('a body that nobody reads goes on at once; one that is signed is taken whole', async (t) => {
  t.match(ask('openai-compatible'), {
    kind: 'continue',
    requestBody: 'unseen',
    pass: { clusters: [String] },
    body: null,
  });
  t.match(ask('openai-compatible', { 'content-length': '1000000' }), { requestBody: 'unseen' }, 'of any size');
  t.match(ask('bedrock', { 'content-length': '10' }), { kind: 'continue', requestBody: 'whole', pass: null });
  t.match(ask('bedrock', { 'content-length': '1000000' }), { kind: 'refuse', status: 413 });
  t.match(ask('bedrock'), { kind: 'refuse', status: 415 }, 'of unknown size');
});

t.test('a session is opened by its headers', async (t) => {
  const session = { ':method': 'GET', ':path': '/v1/realtime?model=a/voice' };
  t.match(ask('openai', { ...session, upgrade: 'WebSocket' }), {
    kind: 'continue',
    requestBody: 'unseen',
    pass: { clusters: ['upgrade-of-a'] },
  });
  t.match(ask('openai', session), { kind: 'refuse', status: 400, details: 'tollgate_unsupported_endpoint' });
  t.match(
    ask('groq', { ...session, upgrade: 'websocket' }),
    { details: 'tollgate_unsupported_endpoint' },
    'not served there',
  );
  t.equal(matchEndpoint('POST', '/v1/realtime?model=x'), null);
});

t.test('which raw answers go on as they are', async (t) => {
  const passed = [200, 204, 301, 304, 307, 400, 401, 403, 404, 429, 500, 503].filter(passesRaw);
  t.same(passed, [200, 204, 304, 400, 404, 429, 500, 503]);
});

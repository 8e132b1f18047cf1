import t from 'tap';
import { opened } from './client.js';
import { startGateway } from './harness.js';
import { startScripted, streamScript } from './scripted.js';

const SEARCH = 'sk-e2e-search-0123456789abcdef';
const FREE = 'sk-e2e-free-0123456789abcdefgh';
const HARD = 'sk-e2e-hard-0123456789abcdefgh';
const OTHER = 'sk-e2e-other-0123456789abcdefg';
const CHAT = '/v1/chat/completions';

const provider = await startScripted();
t.teardown(() => provider.close());
const gateway = await startGateway(t, {
  config: {
    providers: {
      p: { kind: 'openai-compatible', base_url: provider.baseUrl },
      unknown: { kind: 'openai-compatible', base_url: provider.baseUrl },
    },
    models: { cheap: { targets: ['p/cheap'] }, capped: { targets: ['p/capped'], output_cap: 77 } },
    prices: [{ model: 'p/*', input: 1, output: 2 }],
    keys: [
      { id: 'search', secret: SEARCH, labels: { team: 'search' } },
      { id: 'free', secret: FREE, labels: { tier: 'free' } },
      { id: 'hard', secret: HARD, labels: { team: 'hard' } },
      { id: 'other', secret: OTHER, labels: { team: 'other' } },
    ],
    routes: [{ when: 'request.metadata.workload == "batch"', model: 'cheap' }],
    limits: [
      { name: 'per-user', when: 'key.id == "search"', per: ['request.user'], requests: { max: 2, window: '1h' } },
      { name: 'at-once', when: 'key.id == "search"', concurrent: 3 },
      { name: 'tokens', when: 'key.id == "other"', tokens: { max: 20_000, window: 'day', of: 'output' } },
      {
        name: 'downgrade',
        when: 'key.labels.tier == "free"',
        requests: { max: 1, window: 'total' },
        action: { use: 'cheap' },
      },
      { name: 'watch', when: 'key.labels.tier == "free"', requests: { max: 1, window: 'month' }, action: 'shadow' },
      { name: 'dollars', when: 'key.labels.team == "hard"', cost: { max: 5, window: 'month' } },
    ],
  },
});

const ask = (key: string, body: object, headers: Readonly<Record<string, string>> = {}) =>
  gateway.post(
    CHAT,
    { messages: [{ role: 'user', content: 'hello' }], ...body },
    { authorization: `Bearer ${key}`, ...headers },
  );

t.test('each user has a counter', async (t) => {
  const of = async (user: string) => (await ask(SEARCH, { model: 'p/x', user })).status;
  t.same([await of('ann'), await of('ann'), await of('ann'), await of('bob')], [200, 200, 429, 200]);
  const refused = await ask(SEARCH, { model: 'p/x', user: 'ann' });
  const { error } = JSON.parse(refused.text) as { error: { code: string; message: string; type: string } };
  t.match(error, { code: 'rate_limit_exceeded', type: 'rate_limit_error', message: /per-user.*2 requests/s });
  t.ok(Number(refused.headers['retry-after']) >= 1);
  t.equal(refused.headers['x-ratelimit-limit-requests'], '2');
  t.equal(refused.headers['x-ratelimit-remaining-requests'], '0');
  const record = await gateway.record(refused.headers['x-request-id'] ?? '');
  t.match(record, { status: 429, code: 'rate_limit_exceeded', model: 'p/x', target: null });
});

t.test('answers say what is left, in place of what the provider says', async (t) => {
  provider.on('limited', () => ({ headers: { 'x-ratelimit-remaining-tokens': '5' }, chunks: ['{}'] }));
  const answer = await ask(SEARCH, { model: 'p/limited', user: 'cid' });
  t.match(answer.headers, { 'x-ratelimit-limit-requests': '2', 'x-ratelimit-remaining-requests': '1' });
  t.equal(answer.headers['x-ratelimit-remaining-tokens'], undefined);
  const free = await ask(HARD, { model: 'p/limited' });
  t.equal(free.headers['x-ratelimit-remaining-tokens'], '5', 'a cost limit says nothing about tokens');
});

t.test('a place is free again as soon as its client has left', async (t) => {
  provider.on('long', () => ({ ...streamScript('long', ['one ', 'two ']), hold: 2 }));
  const stream = (user: string) =>
    opened(gateway.url + CHAT, {
      headers: { authorization: `Bearer ${SEARCH}` },
      body: JSON.stringify({ model: 'p/long', stream: true, user, messages: [] }),
    });
  const open = await Promise.all(['u1', 'u2', 'u3'].map(stream));
  await provider.held(3);
  const refused = await ask(SEARCH, { model: 'p/x', user: 'u4' });
  t.equal(refused.status, 429);
  t.match(refused.text, /concurrency_limit_exceeded/);
  await open[0]?.until('one ');
  open[0]?.abort();
  const left = performance.now();
  let status = 429;
  while (status === 429 && performance.now() - left < 5_000)
    status = (await ask(SEARCH, { model: 'p/x', user: `u${left}` })).status;
  t.equal(status, 200);
  t.comment(`free after ${Math.round(performance.now() - left)} ms`);
  provider.release();
  await Promise.all(open.slice(1).map((each) => each.finished()));
});

t.test('a limit that downgrades, and one that only watches', async (t) => {
  const first = await ask(FREE, { model: 'p/dear' });
  const second = await ask(FREE, { model: 'p/dear' });
  t.same(
    [first, second].map(({ headers }) => headers['x-tollgate-model']),
    ['dear', 'cheap'],
  );
  const record = await gateway.record(second.headers['x-request-id'] ?? '');
  t.match(record, { model: 'p/dear', target: 'p/cheap', route: 'limit downgrade', status: 200 });
  t.match(await gateway.metrics(), /^tollgate_limits_shadowed_total 1$/m);
});

t.test('a route by metadata', async (t) => {
  const answer = await ask(HARD, { model: 'p/dear' }, { 'x-tollgate-metadata': '{"workload":"batch"}' });
  t.equal(answer.headers['x-tollgate-model'], 'cheap');
});

t.test('a hard cost limit bounds what nobody has bounded', async (t) => {
  const sent = async (key: string, body: object) => {
    await ask(key, body);
    return JSON.parse(provider.captures.at(-1)?.body.toString() ?? '{}') as Record<string, unknown>;
  };
  t.match(await sent(HARD, { model: 'capped' }), { model: 'capped', max_tokens: 77 });
  t.match(await sent(HARD, { model: 'capped', max_tokens: 5 }), { max_tokens: 5 });
  t.notOk('max_tokens' in (await sent(OTHER, { model: 'capped' })), 'no cost limit, no bound');
  const dear = await ask(HARD, { model: 'p/x', max_tokens: 3_000_000 });
  t.equal(dear.status, 429, 'could cost six dollars');
  t.match(dear.text, /insufficient_quota/);
});

t.test('case 69: an unknown price under a cost limit', async (t) => {
  const refused = await ask(HARD, { model: 'unknown/x' });
  t.equal(refused.status, 403);
  t.match(refused.text, /unpriced_model/);
  t.equal((await ask(OTHER, { model: 'unknown/x' })).status, 200, 'nobody limits cost here');
});

t.test('tokens', async (t) => {
  t.equal((await ask(OTHER, { model: 'p/x', max_tokens: 20_001 })).status, 429, 'more than there ever is');
  t.equal((await ask(OTHER, { model: 'p/x', max_tokens: 19_000 })).status, 200);
  t.equal((await ask(OTHER, { model: 'p/x', max_tokens: 19_000 })).status, 200, 'what was not used came back');
});

t.test('the state of every counter', async (t) => {
  const rows = await gateway.limits();
  t.match(
    rows.find(({ limit, partition }) => limit === 'per-user' && partition['request.user'] === 'ann'),
    { of: 'requests', used: 2, held: 0, max: 2, ratio: 1, action: 'reject' },
  );
  t.same(
    rows.filter(({ held }) => held !== 0),
    [],
    'nothing is held when nothing runs',
  );
  t.match(await gateway.metrics(), /^tollgate_limit_used_ratio\{limit="per-user",of="requests"\} 1$/m);
});

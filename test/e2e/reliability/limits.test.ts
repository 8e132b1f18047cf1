/** Limits through Envoy: cases of docs/reliability.md. Every request is held at a dollar. */
import OpenAI from 'openai';
import t from 'tap';
import type { FinalEntry } from '../../../src/accounting/ledger/entry.js';
import { eventually } from '../../eventually.js';
import { freePort } from '../../servers/free-port.js';
import { type Open, opened } from '../client.js';
import { type Gateway, startGateway } from '../harness.js';
import { type Scripted, startScripted, streamScript } from '../scripted.js';

const CHAT = '/v1/chat/completions';
const CONCURRENT = 10;
const secretOf = (id: string): string => `sk-the-secret-of-${id}`;
const KEYS = ['budget', 'crowd', 'over', 'spent', 'hard', 'soft', 'free', 'shadow'].map((id) => ({
  id,
  secret: secretOf(id),
}));
const only = (id: string): string => `key.id == "${id}"`;

let gateway: Gateway;
let provider: Scripted;

t.before(async () => {
  provider = await startScripted();
  t.teardown(() => provider.close());
  gateway = await startGateway(t, {
    config: {
      providers: { p: { kind: 'openai-compatible', base_url: provider.baseUrl } },
      keys: KEYS,
      prices: [
        { model: 'p/tokens', input: 0, output: 1_000_000 },
        { model: '*', input: 0, output: 0, request: 1 },
      ],
      limits: [
        { name: 'user', when: only('budget'), per: ['request.user'], cost: { max: 3, window: 'month' } },
        { name: 'crowd', when: only('crowd'), concurrent: CONCURRENT },
        { name: 'over', when: only('over'), cost: { max: 100, window: 'total' } },
        { name: 'spent', when: only('spent'), cost: { max: 0.5, window: 'month' } },
      ],
    },
  });
});

const bearer = (id: string) => ({ authorization: `Bearer ${secretOf(id)}` });

function ask(id: string, body: object, at: Gateway = gateway): ReturnType<Gateway['post']> {
  return at.post(CHAT, { model: 'p/x', messages: [{ role: 'user', content: 'hello' }], ...body }, bearer(id));
}

function long(id: string): Promise<Open> {
  const body = { model: 'p/long', stream: true, messages: [{ role: 'user', content: 'hello' }] };
  return opened(gateway.url + CHAT, { headers: bearer(id), body: JSON.stringify(body) });
}

function count(answers: readonly { readonly status: number }[]): Record<number, number> {
  const counted: Record<number, number> = {};
  for (const { status } of answers) counted[status] = (counted[status] ?? 0) + 1;
  return counted;
}

t.test('case 63: more is used than was held', async (t) => {
  const usage = {
    prompt_tokens: 1,
    completion_tokens: 7,
    total_tokens: 8,
    completion_tokens_details: { reasoning_tokens: 5 },
  };
  provider.on('tokens', {
    chunks: [JSON.stringify({ choices: [{ index: 0, message: { content: 'x' }, finish_reason: 'stop' }], usage })],
  });
  const answer = await ask('over', { model: 'p/tokens', max_tokens: 4 });
  t.equal(answer.status, 200);
  const record = await gateway.record(answer.headers['x-request-id'] ?? '');
  t.match(record, { usage: { output: 2, reasoning: 5 }, cost_nano_usd: 7e9 }, 'the truth is booked');
  const row = (await gateway.limits()).find(({ limit }) => limit === 'over');
  t.match(row, { used: 7e9, held: 0 });
  await gateway.metric('tollgate_limits_overshot_total', 1);
});

t.test('case 66: eight first requests of a new user at once', async (t) => {
  const seen = provider.begun;
  for (const user of ['nobody-knows-me', 'nor-me']) {
    const answers = await Promise.all(Array.from({ length: 8 }, () => ask('budget', { user })));
    t.same(count(answers), { 200: 3, 429: 5 }, 'as many as its budget has dollars');
  }
  t.equal(provider.begun, seen + 6);
  const rows = (await gateway.limits()).filter(({ limit }) => limit === 'user');
  t.same(
    rows.map(({ partition, used, held }) => [partition['request.user'], used, held]).sort(),
    [
      ['nobody-knows-me', 3e9, 0],
      ['nor-me', 3e9, 0],
    ],
    'one counter for each',
  );
});

t.test('case 67: the official client does not repeat what a used-up budget refused', async (t) => {
  const seen = provider.begun;
  const client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: secretOf('spent') });
  t.equal(client.maxRetries, 2);
  const messages = [{ role: 'user' as const, content: 'hello' }];
  const error = await client.chat.completions.create({ model: 'p/x', messages }).catch((problem: unknown) => problem);
  t.ok(error instanceof OpenAI.RateLimitError);
  if (!(error instanceof OpenAI.RateLimitError)) return;
  t.equal(error.code, 'insufficient_quota');
  t.equal(error.headers.get('x-should-retry'), 'false');
  t.equal(provider.begun, seen, 'no provider was asked');
  await gateway.record(error.requestID ?? '');
  const refusals = (await gateway.requests()).filter(({ key }) => key === 'spent');
  t.equal(refusals.length, 1, 'it asked once');
});

t.test(`case 68: ${CONCURRENT} at once, and one more`, async (t) => {
  provider.on('long', { ...streamScript('long', ['one', 'two']), hold: 2 });
  const open = await Promise.all(Array.from({ length: CONCURRENT }, () => long('crowd')));
  await provider.held(CONCURRENT);
  const times: number[] = [];
  for (let round = 0; round < 5; round += 1) {
    const refused = await ask('crowd', {});
    t.match({ status: refused.status, text: refused.text }, { status: 429, text: /concurrency_limit_exceeded/ });
    const leaving = open.shift();
    await leaving?.until('one');
    leaving?.abort();
    const left = performance.now();
    await eventually('a place is free', async () => {
      const next = await long('crowd');
      if (next.status === 200) open.push(next);
      return next.status === 200;
    });
    times.push(performance.now() - left);
  }
  // A busy machine may be late now and then.
  t.ok(Math.min(...times) < 100, `free after ${times.map(Math.round).join(', ')} ms`);
  provider.release();
  await Promise.all(open.map((each) => each.abort()));
});

t.test('case 64: the store of the limits cannot be reached', async (t) => {
  const limit = (id: string, more: object) => ({
    name: id,
    when: only(id),
    requests: { max: 3, window: 'total' },
    ...more,
  });
  const without = await startGateway(t, {
    config: {
      providers: { p: { kind: 'openai-compatible', base_url: provider.baseUrl } },
      keys: KEYS,
      store: { kind: 'redis', url: `redis://127.0.0.1:${await freePort()}` },
      limits: [limit('hard', {}), limit('soft', { hard: false }), limit('shadow', { action: 'shadow' })],
    },
  });
  const five = async (id: string) => Promise.all(Array.from({ length: 5 }, () => ask(id, {}, without)));
  const hard = await five('hard');
  t.same(count(hard), { 503: 5 });
  t.match(JSON.parse(hard[0]?.text ?? ''), { error: { code: 'limits_unavailable' } });
  t.match(hard[0]?.headers, { 'retry-after': /^\d+$/ });
  t.same(count(await five('soft')), { 200: 3, 503: 2 }, 'what this process may give out, and no more');
  t.same(count(await five('shadow')), { 200: 5 });
  t.same(count(await five('free')), { 200: 5 }, 'no limit, no store');
  await without.settled();
  const finals = without.ledger().filter((entry): entry is FinalEntry => entry.type === 'settle');
  t.equal(finals.length, 13, 'all of it is in the ledger');
});

/** Keys made, rotated and revoked while requests run: through the admin API, the command line and a token. */
import t from 'tap';
import { generateKey } from '../../src/policy/keys/key-format.js';
import { eventually } from '../eventually.js';
import { type IssuerUnderTest, startIssuer } from '../policy/keys/jwt/issuer-under-test.js';
import { exchange, opened } from './client.js';
import { type Gateway, startGateway } from './harness.js';
import { type Scripted, startScripted } from './scripted.js';

const CHAT = '/v1/chat/completions';
const BODY = { model: 'local/any', messages: [{ role: 'user', content: 'hi' }] };
const TOKEN = 'admin-token-0123456789';
const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

let gateway: Gateway;
let provider: Scripted;
let issuer: IssuerUnderTest;

interface Made {
  readonly id: string;
  readonly secret: string;
}

async function admin(method: string, path: string, body?: object): Promise<Made> {
  const response = await fetch(`${gateway.adminUrl}/api/v1/keys${path}`, {
    method,
    headers: { ...bearer(TOKEN), 'content-type': 'application/json' },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  return (await response.json()) as Made;
}

/** Finished requests of one key with status 200, as soon as there is one. */
async function records(key: string): Promise<readonly object[]> {
  let rows: readonly object[] = [];
  await eventually('the request is in the records', async () => {
    const query = new URLSearchParams({ key, status: '200' });
    const response = await fetch(`${gateway.adminUrl}/api/v1/requests?${query}`, { headers: bearer(TOKEN) });
    rows = ((await response.json()) as { data: readonly object[] }).data;
    return rows.length > 0;
  });
  return rows;
}

const ask = async (key: string): Promise<number> => (await gateway.post(CHAT, BODY, bearer(key))).status;

t.before(async () => {
  provider = await startScripted();
  t.teardown(() => provider.close());
  issuer = await startIssuer(t, Date.now);
  gateway = await startGateway(t, {
    config: {
      admin: { token: TOKEN },
      providers: { local: { kind: 'openai-compatible', base_url: provider.baseUrl } },
      auth: {
        jwt: { issuer: issuer.issuer, jwks: issuer.jwksUrl, audience: 'tollgate', labels: { team: 'org.team' } },
      },
    },
  });
});

t.test('case 11: the admin token and gateway keys are not each other', async (t) => {
  t.equal(await ask(TOKEN), 401);
  const { status } = await fetch(`${gateway.adminUrl}/api/v1/keys`, { headers: bearer(gateway.key) });
  t.equal(status, 401);
  t.equal((await gateway.get('/api/v1/keys', bearer(TOKEN))).status, 404, 'the admin API is not served to apps');
});

t.test('a key works from the moment it is shown, and what it may do is checked', async (t) => {
  const made = await admin('POST', '', { labels: { team: 'search' }, models: ['local/*'] });
  t.equal(await ask(made.secret), 200);
  const refused = await gateway.post(CHAT, { ...BODY, model: 'other/x' }, bearer(made.secret));
  t.ok([403, 404].includes(refused.status));
  t.match((await records(made.id))[0], { labels: { team: 'search' } });
  await admin('PATCH', `/${made.id}`, { endpoints: ['/v1/embeddings'] });
  t.equal(await ask(made.secret), 403);
});

t.test('case 12: a rotation under load refuses nobody', async (t) => {
  const made = await admin('POST', '');
  const statuses: number[] = [];
  const ends: { old: number; fresh: number } = { old: 0, fresh: 0 };
  let secret = made.secret;
  let running = true;
  const load = Array.from({ length: 8 }, async (_, index) => {
    while (running) statuses.push(await ask(index % 2 === 0 ? made.secret : secret));
  });
  await eventually('requests run', () => statuses.length > 20);
  secret = (await admin('POST', `/${made.id}/rotate`, { grace: '60s' })).secret;
  const before = statuses.length;
  await eventually('requests run with both', () => statuses.length > before + 60);
  running = false;
  await Promise.all(load);
  t.same(new Set(statuses), new Set([200]), `${statuses.length} requests`);
  secret = (await admin('POST', `/${made.id}/rotate`, { grace: '0' })).secret;
  [ends.old, ends.fresh] = await Promise.all([ask(made.secret), ask(secret)]);
  t.same(ends, { old: 401, fresh: 200 });
});

t.test('case 3: a revoked key is refused within a second; its running stream finishes', async (t) => {
  const made = await admin('POST', '');
  const piece = (content: string, reason: string | null = null): string =>
    `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content }, finish_reason: reason }] })}\n\n`;
  provider.on('long', {
    headers: { 'content-type': 'text/event-stream' },
    chunks: [piece('one'), piece('two', 'stop'), 'data: [DONE]\n\n'],
    hold: 1,
  });
  const stream = await opened(gateway.url + CHAT, {
    headers: { ...bearer(made.secret), 'content-type': 'application/json' },
    body: JSON.stringify({ ...BODY, model: 'local/long', stream: true }),
  });
  await stream.until('one');
  const ended = await gateway.command('keys', 'revoke', made.id);
  t.match(ended, { code: 0, stdout: /state: revoked/ });
  t.equal(await ask(made.secret), 401, 'at once');
  provider.release();
  const whole = await stream.finished();
  t.match(whole, { status: 200, text: /two.*\[DONE\]/s });
});

t.test('issued keys are there after the service died', async (t) => {
  const made = await gateway.command('keys', 'create', '--label', 'team=cli', '--json');
  t.equal(made.code, 0, made.stderr);
  const { secret } = JSON.parse(made.stdout) as Made;
  t.equal(await ask(secret), 200);
  const pid = gateway.pid('service');
  gateway.kill('service', 'SIGKILL');
  await gateway.replaced(pid);
  t.equal(await ask(secret), 200);
});

t.test('secrets are nowhere', async (t) => {
  const made = await admin('POST', '');
  await ask(made.secret);
  t.notMatch(gateway.logs(), /sk-tg-|admin-token-0/);
  t.match(gateway.logs(), /key create/, 'but changes are logged');
});

t.test('a token of the identity provider is a key', async (t) => {
  const token = await issuer.sign({ sub: 'ann', org: { team: 'maps' } });
  t.same(await Promise.all([ask(token), ask(token)]), [200, 200]);
  t.equal(issuer.fetches(), 1);
  t.equal(await ask(await issuer.sign({ aud: 'somebody else' })), 401);
  t.equal(await ask(await issuer.sign({ exp: Date.now() / 1000 - 60 })), 401);
  const [row] = await records('jwt:id.example.com/realms/main:ann');
  t.match(row, { labels: { team: 'maps' } });
});

t.test('tenants that run at once, some of them leaving, are never mixed up', async (t) => {
  provider.on('echo', ({ body }) => {
    const { messages } = JSON.parse(body.toString()) as { messages: readonly { content: string }[] };
    const usage = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 };
    const message = { role: 'assistant', content: messages[0]?.content };
    return { chunks: [JSON.stringify({ choices: [{ index: 0, message, finish_reason: 'stop' }], usage })] };
  });
  const tenants = await Promise.all(
    Array.from({ length: 20 }, (_, index) => admin('POST', '', { labels: { tenant: `t${index}` } })),
  );
  const send = async (tenant: Made, index: number): Promise<void> => {
    const other = tenants[(index + 1) % tenants.length];
    const sent = {
      headers: { ...bearer(tenant.secret), 'x-tenant-id': String(other?.id), 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'local/echo', user: other?.id, messages: [{ role: 'user', content: tenant.id }] }),
    };
    if (index % 10 === 9) {
      await opened(gateway.url + CHAT, { ...sent, signal: AbortSignal.timeout(1 + (index % 7)) }).catch(() => null);
      return;
    }
    const { status, text } = await exchange(gateway.url + CHAT, sent);
    if (status !== 200 || !text.includes(tenant.id)) throw new Error(`${tenant.id} got ${status} ${text}`);
  };
  const requests = Array.from({ length: 200 }, (_, index) => index);
  await Promise.all(
    requests.map((index) => send(tenants[(index * 7) % tenants.length] ?? { id: '', secret: '' }, index)),
  );
  await gateway.settled();
  const finals = gateway.ledger().filter((entry) => entry.type === 'settle' || entry.type === 'estimate');
  const labelOf = new Map(tenants.map(({ id }, index) => [id, `t${index}`]));
  const booked = finals.filter(({ key }) => labelOf.has(key));
  t.ok(booked.length >= 180, `${booked.length} booked`);
  t.ok(
    booked.every((entry) => entry.labels['tenant'] === labelOf.get(entry.key)),
    'each under the labels of its own key, whatever the request says of others',
  );
});

t.test('who guesses keys is slowed down, valid keys from there are not', async (t) => {
  const made = await admin('POST', '');
  const guess = async (): Promise<number> => ask(generateKey().text);
  const statuses: number[] = [];
  for (let round = 0; round < 4; round += 1) statuses.push(...(await Promise.all(Array.from({ length: 10 }, guess))));
  t.ok(statuses.slice(0, 5).every((status) => status === 401 || status === 429));
  t.ok(statuses.filter((status) => status === 401).length <= 20, 'at most twenty are answered 401');
  t.same(new Set(statuses.slice(30)), new Set([429]));
  t.equal(await ask(made.secret), 200);
  const slowed = await gateway.post(CHAT, BODY, bearer('x'.repeat(20)));
  t.match(slowed, { status: 429, headers: { 'retry-after': /^\d+$/ }, text: /rate_limit_exceeded/ });
});

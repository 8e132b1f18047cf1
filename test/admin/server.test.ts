import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import t from 'tap';
import { type RunningAdmin, startAdmin } from '../../src/admin/server.js';
import { parseExposition } from '../observability/exposition.js';
import { fakes, RECORD, start } from './start-admin.js';

/** A request with a `host` header of our choice, which fetch does not allow. */
async function withHost(admin: RunningAdmin, host: string): Promise<number> {
  const request = httpRequest({ port: admin.address.port, host: '127.0.0.1', path: '/api/v1/keys', headers: { host } });
  request.end();
  const [response] = await once(request, 'response');
  response.resume();
  return response.statusCode;
}

t.test('probes and metrics', async (t) => {
  const { get, state } = await start(t);
  t.same((await get('/livez')).body, { status: 'live' });
  t.match(await get('/readyz'), { status: 200, body: { status: 'ready', reasons: [], degraded: [] } });
  state.degraded.push('redis does not answer');
  t.match(await get('/readyz'), { status: 200, body: { degraded: ['redis does not answer'] } });
  state.reasons.push('ledger is not writable');
  t.match(await get('/readyz'), { status: 503, body: { status: 'not_ready', reasons: ['ledger is not writable'] } });
  const metrics = await get('/metrics');
  t.match(metrics.headers.get('content-type'), /^text\/plain; version=0\.0\.4/);
  t.ok(parseExposition(metrics.text).length > 10);
});

t.test('requests and usage', async (t) => {
  const { get, asked } = await start(t);
  t.same((await get('/api/v1/requests')).body, { data: [RECORD], next: 'c2' });
  await get(
    '/api/v1/requests?limit=5&cursor=c2&from=2026-11-01&to=2026-11-22T10:00:00%2B01:00&key=web&model=a%2Fb&status=429&code=x&user=u&target=t',
  );
  t.same(asked.list, [
    {
      limit: 100,
      cursor: null,
      from: null,
      to: null,
      key: null,
      model: null,
      target: null,
      user: null,
      code: null,
      status: null,
    },
    {
      limit: 5,
      cursor: 'c2',
      from: Date.UTC(2026, 10, 1),
      to: Date.UTC(2026, 10, 22, 9),
      key: 'web',
      model: 'a/b',
      target: 't',
      user: 'u',
      code: 'x',
      status: 429,
    },
  ]);
  t.same((await get('/api/v1/requests/r%2F1')).body, RECORD);
  t.match(await get('/api/v1/requests/nope'), {
    status: 404,
    body: { error: { code: 'not_found', type: 'not_found_error', param: null } },
  });
  t.match((await get('/api/v1/usage?by=team,model&from=2026-01-01')).body, { data: [{ model: 'smart', requests: 1 }] });
  t.same((await get('/api/v1/usage')).status, 200);
  const csv = await get('/api/v1/usage?format=csv&by=model');
  t.equal(csv.headers.get('content-type'), 'text/csv; charset=utf-8');
  t.match(csv.text, /^model,requests,.*\r\nsmart,1,0,/);
  const focus = await get('/api/v1/usage?format=focus&by=team');
  t.equal(focus.headers.get('x-tollgate-unpriced-requests'), '1');
  t.match(focus.text, /^BilledCost,.*\r\n0\.000000001,openai,/);
  t.same(asked.usage.slice(0, 2), [
    { from: Date.UTC(2026, 0, 1), to: null, by: ['team', 'model'] },
    { from: null, to: null, by: ['model'] },
  ]);
  t.same((await get('/api/v1/ledger/verify')).body, { segments: 1, damaged: [] });
  const mistakes = [
    'requests?limit=0',
    'requests?limit=1001',
    'requests?limit=x',
    'requests?limit=1e2',
    'requests?stauts=1',
    'requests?from=yesterday',
    'requests?from=2026-13-01',
    'requests?key=a&key=b',
    'requests?cursor=made-up',
    'usage?by=a;drop',
    'usage?format=xml',
    'usage?by=1,2,3,4,5,6,7,8,9',
    'keys?cursor=-1',
    'config?x=1',
  ];
  for (const path of mistakes)
    t.match(await get(`/api/v1/${path}`), { status: 400, body: { error: { code: 'invalid_parameter' } } }, path);
});

t.test('configuration without secrets', async (t) => {
  const { get } = await start(t);
  const pages = await Promise.all(
    ['config', 'providers', 'keys', 'models', 'limits', 'status'].map((name) => get(`/api/v1/${name}`)),
  );
  const [config, providers, keys, models, limits, status] = pages.map((page) => page.body);
  for (const page of pages) {
    t.equal(page.status, 200);
    t.notMatch(page.text, /sk-upstream|token-itself|pepper-itself|db-password|fixed-header-value|d1d1d1/);
  }
  t.match(config, {
    version: 'abc123def456',
    models: { smart: { targets: ['openai/gpt-5'] } },
    providers: { openai: { credentials: '[secret:0001]' } },
  });
  t.match(providers, {
    data: [{ name: 'openai', kind: 'openai', health: 'unknown', ejected_until: null, error_rate: null }],
    next: null,
  });
  t.match(keys.data[1], {
    id: 'ci',
    source: 'config',
    labels: { team: 'search' },
    expires: '2027-01-01T00:00:00.000Z',
  });
  t.same(models.data, [{ name: 'smart', targets: ['openai/gpt-5'], allow_unpriced: false }]);
  t.match(limits, {
    data: [
      {
        limit: 'budget',
        of: 'cost',
        used: 900,
        held: 50,
        max: 1000,
        ratio: 0.95,
        resets_at: '2026-11-01T00:00:00.000Z',
      },
      { limit: 'users', of: 'requests', partition: { 'request.user': 'ann' }, ratio: 0.1, resets_at: null },
    ],
    next: null,
  });
  t.match(status, { gateway_url: 'http://127.0.0.1:8080/v1', reasons: [] });
  const first = (await get('/api/v1/keys?limit=2')).body;
  const second = (await get(`/api/v1/keys?limit=2&cursor=${first.next}`)).body;
  t.same(
    [...first.data, ...second.data].map((key: { id: string }) => key.id),
    ['web', 'ci', 'third'],
  );
  t.equal(second.next, null);
});

t.test('token', async (t) => {
  const { get, admin } = await start(t, 'a-long-admin-token');
  const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });
  for (const open of ['/livez', '/readyz', '/metrics', '/', '/page.js', '/page.css'])
    t.equal((await get(open)).status, 200, open);
  for (const closed of [
    '/api/v1/requests',
    '/api/v1/config',
    '/api/v1/events',
    '/api/openapi.json',
    '/api/v1/made-up',
    '/etc/passwd',
  ]) {
    t.match(await get(closed), { status: 401, body: { error: { code: 'invalid_api_key' } } }, closed);
  }
  for (const wrong of ['', 'a', 'a-long-admin-tokem', 'a-long-admin-token2', 'A-LONG-ADMIN-TOKEN'])
    t.equal((await get('/api/v1/keys', bearer(wrong))).status, 401, wrong);
  t.equal((await get('/api/v1/keys', bearer('a-long-admin-token'))).status, 200);
  t.equal((await get('/api/v1/made-up', bearer('a-long-admin-token'))).status, 404);
  t.equal(await withHost(admin, 'gateway.example.org'), 401, 'with a token any name may be used');
  const elsewhere = {
    address: { host: '0.0.0.0', port: 0 },
    token: null,
    version: '0',
    dependencies: fakes().dependencies,
  };
  await t.rejects(startAdmin(elsewhere), /set admin.token/);
});

t.test('default deny', async (t) => {
  const { get, admin, url, state, asked } = await start(t);
  for (const path of [
    '/api/v1',
    '/api/v1/',
    '/api/v1/requests/',
    '/api/v1/requests/a/b',
    '/api/v1/requests/%zz',
    '/API/V1/keys',
    '//evil/api',
    '/favicon.ico',
  ]) {
    t.match(await get(path), { status: 404, body: { error: { code: 'not_found' } } }, path);
  }
  const posted = await get('/api/v1/requests', { method: 'POST', body: 'x' });
  t.match(posted, { status: 405, body: { error: { code: 'method_not_allowed' } } });
  t.equal(posted.headers.get('allow'), 'GET, HEAD');
  const head = await fetch(url('/api/v1/requests'), { method: 'HEAD' });
  t.equal(head.status, 200);
  t.ok(Number(head.headers.get('content-length')) > 100);
  t.equal(await head.text(), '');
  t.equal((await fetch(url('/api/v1/events'), { method: 'HEAD' })).status, 200, 'HEAD of the stream ends');
  t.equal((await get('/api/v1/keys', { headers: { 'sec-fetch-site': 'cross-site' } })).status, 403);
  for (const host of ['localhost', '127.0.0.1:1', '[::1]:8090', '127.3.2.1', 'LOCALHOST:80'])
    t.equal(await withHost(admin, host), 200, host);
  for (const host of ['evil.example', 'localhost.evil.example', '127.0.0.1.evil.example', '10.0.0.1'])
    t.equal(await withHost(admin, host), 403, `host ${host}`);
  state.broken = true;
  const broken = await get('/api/v1/requests');
  t.match(broken, { status: 500, body: { error: { code: 'internal_error', type: 'api_error' } } });
  t.notMatch(broken.text, /secret-host/);
  t.equal(asked.failures.length, 1);
  for (const [line, host, status] of [
    ['GET http://evil/livez', 'localhost', '400'],
    ['GET /livez', '', '403'],
  ]) {
    const socket = connect(admin.address.port, '127.0.0.1');
    socket.write(`${line} HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`);
    let raw = '';
    for await (const chunk of socket) raw += chunk;
    t.equal(raw.slice(0, 12), `HTTP/1.1 ${status}`);
  }
});

t.test('page and description', async (t) => {
  const { get } = await start(t);
  const page = await get('/');
  t.match(page.headers.get('content-type'), /^text\/html/);
  t.match(page.headers.get('content-security-policy'), /default-src 'none'/);
  t.equal(page.headers.get('x-content-type-options'), 'nosniff');
  t.notMatch(page.text, /<script>|style="|onclick/, 'nothing that the policy would block');
  const document = (await get('/api/openapi.json')).body;
  t.equal(document.openapi, '3.1.0');
  for (const [, path = ''] of page.text.matchAll(/href="(\/[^"?]*)/g)) {
    if (path === '/page.css') continue;
    t.ok(path in document.paths, `${path} is served and described`);
  }
  const identifiers = Object.values(document.paths as Record<string, Record<string, { operationId: string }>>).flatMap(
    (path) => Object.values(path).map((operation) => operation.operationId),
  );
  t.equal(new Set(identifiers).size, identifiers.length);
  const script = (await get('/page.js')).text;
  t.doesNotThrow(() => new Function(script));
  const used = [...script.matchAll(/element\('([a-z-]+)'\)/g)].map(([, id]) => id);
  for (const id of used) t.ok(page.text.includes(`id="${id}"`), `#${id}`);
});

t.test('live events', async (t) => {
  const { url, listeners, admin } = await start(t);
  const leaving = new AbortController();
  const first = await fetch(url('/api/v1/events'), { signal: leaving.signal });
  t.match(first.headers.get('content-type'), /^text\/event-stream/);
  const second = await fetch(url('/api/v1/events'));
  t.equal(listeners.size, 2);
  for (const listener of listeners) listener({ ...RECORD, id: 'r\n2', user: 'two\nlines' });
  const closed = new Promise<void>((resolve) => {
    const check = () => (listeners.size === 1 ? resolve() : setImmediate(check));
    check();
  });
  leaving.abort();
  await closed;
  await admin.close();
  const text = await second.text();
  const [, event = ''] = text.split('\n\n');
  const [name, id, data = ''] = event.split('\n');
  t.same([name, id], ['event: request', 'id: r2']);
  t.match(JSON.parse(data.replace('data: ', '')), { id: 'r\n2', user: 'two\nlines', target: 'openai/gpt-5' });
  t.equal(listeners.size, 0);
});

t.test('prompts, disagreements, and a database that is away', async (t) => {
  const { get } = await start(t);
  t.match((await get('/api/v1/requests/r1/content')).body, { request: 'prompt', response: 'answer' });
  t.equal((await get('/api/v1/requests/r2/content')).status, 404);
  t.same((await get('/api/v1/ledger/disagreements')).body, { data: [{ kind: 'missing_line', id: 'r1' }], next: null });
  t.match(await get('/api/v1/requests?key=slow'), { status: 503, text: /the database is away/ });
});

import t, { type Test } from 'tap';
import type { AdminDependencies } from '../../src/admin/ports.js';
import { startAdmin } from '../../src/admin/server.js';
import { createMetrics } from '../../src/observability/metrics.js';
import { Secret } from '../../src/observability/secret.js';
import type { KeyDesk } from '../../src/policy/keys/key-desk.js';
import { type DeskUnderTest, fixedKey, openDesk } from '../policy/keys/key-desk-under-test.js';
import { sampleKeyDesk } from './sample-key-desk.js';
import { snapshot } from './sample-snapshot.js';

const TOKEN = 'the-admin-token-itself';
const NOW = Date.UTC(2026, 10, 22);

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly body: Record<string, unknown> & {
    readonly error?: { readonly message: string; readonly param: string | null };
  };
}

async function serve(t: Test, keys: KeyDesk) {
  const nothing = { data: [], next: null };
  const dependencies = {
    keys,
    records: { list: () => nothing, get: () => null, content: () => null, usage: () => [] },
    snapshot,
    readiness: () => ({ reasons: [], degraded: [] }),
    metrics: createMetrics(),
    subscribe: () => () => {},
    verifyLedger: () => ({}),
    providerHealth: () => null,
    gatewayUrl: () => '',
    failure: (_message: string, error: unknown) => t.fail(String(error)),
  } as Partial<AdminDependencies> as AdminDependencies;
  const address = { host: '127.0.0.1', port: 0 };
  const admin = await startAdmin({ address, token: new Secret(TOKEN), version: '0', dependencies });
  t.teardown(() => admin.close());
  return async (line: string, body?: unknown, more: Record<string, string> = {}): Promise<Answer> => {
    const [method = '', path = ''] = line.split(' ');
    const type: Record<string, string> = body === undefined ? {} : { 'content-type': 'application/json' };
    const response = await fetch(`http://127.0.0.1:${admin.address.port}${path}`, {
      method,
      headers: { authorization: `Bearer ${TOKEN}`, ...type, ...more },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, body: text === '' ? {} : JSON.parse(text) };
  };
}

const FIXED = [fixedKey('web', { labels: { team: 'search' }, metadata: { owner: 'ann' } }), fixedKey('ci')];

async function start(t: Test): Promise<{ ask: Awaited<ReturnType<typeof serve>>; desk: DeskUnderTest }> {
  const desk = await openDesk(t, t.testdir(), { fixed: FIXED });
  return { ask: await serve(t, desk.desk), desk };
}

t.test('the life of a key', async (t) => {
  const { ask, desk } = await start(t);
  const made = await ask('POST /api/v1/keys', {
    labels: { team: 'search', tier: 'gold' },
    models: ['smart', 'openai/*'],
    endpoints: ['/v1/chat/*'],
    expires: '2027-01-01',
    metadata: { ticket: 'T-1' },
  });
  t.equal(made.status, 201);
  const { id, secret } = made.body as { id: string; secret: string };
  t.equal(made.headers.get('location'), `/api/v1/keys/${id}`);
  t.match(made.body, {
    source: 'issued',
    state: 'active',
    labels: { team: 'search', tier: 'gold' },
    models: ['smart', 'openai/*'],
    endpoints: ['/v1/chat/*'],
    expires: '2027-01-01T00:00:00.000Z',
    metadata: { ticket: 'T-1' },
    created: '2026-11-22T00:00:00.000Z',
    changed_by: 'admin',
  });
  t.equal(desk.ring.find(secret, NOW)?.id, id);

  const shown = await ask(`GET /api/v1/keys/${id}`);
  t.equal(shown.status, 200);
  t.notMatch(shown.text, /secret"|hmac|sk-tg/, 'shown once');
  const patched = await ask(`PATCH /api/v1/keys/${id}`, { labels: { team: 'maps' }, expires: null, models: null });
  t.match(patched.body, { labels: { team: 'maps' }, expires: null, models: null, metadata: { ticket: 'T-1' } });
  t.same(desk.ring.find(secret, NOW)?.labels, { team: 'maps' }, 'at once');

  const rotated = await ask(`POST /api/v1/keys/${id}/rotate`, { grace: '60s' });
  t.match(rotated, { status: 200, body: { id, old_secrets_until: ['2026-11-22T00:01:00.000Z'] } });
  t.ok(desk.ring.find(String(rotated.body['secret']), NOW));
  t.ok(desk.ring.find(secret, NOW + 59_999));
  t.notOk(desk.ring.find(secret, NOW + 60_000));
  t.match(
    (await ask(`POST /api/v1/keys/${id}/rotate`)).body,
    { old_secrets_until: [/.*/, /.*/] },
    'an hour by default',
  );

  t.match(await ask(`POST /api/v1/keys/${id}/revoke`), { status: 200, body: { state: 'revoked' } });
  t.equal(desk.ring.find(secret, NOW), null);
  t.match(await ask(`DELETE /api/v1/keys/${id}`), { status: 200, body: { state: 'revoked' } }, 'twice is no mistake');
  for (const line of [`PATCH /api/v1/keys/${id}`, `POST /api/v1/keys/${id}/rotate`]) {
    const body = line.startsWith('PATCH') ? { labels: {} } : {};
    t.match(await ask(line, body), { status: 409, body: { error: { message: /is revoked, which is for good/ } } });
  }
});

t.test('fixed keys are shown and cannot be changed', async (t) => {
  const { ask } = await start(t);
  t.match((await ask('GET /api/v1/keys/web')).body, {
    source: 'config',
    labels: { team: 'search' },
    metadata: { owner: 'ann' },
  });
  const changes = [
    'PATCH /api/v1/keys/web',
    'POST /api/v1/keys/web/rotate',
    'POST /api/v1/keys/web/revoke',
    'DELETE /api/v1/keys/web',
  ];
  for (const line of changes) {
    const body = line.startsWith('PATCH') ? { labels: {} } : undefined;
    t.match(
      await ask(line, body),
      { status: 409, body: { error: { code: 'conflict', message: /fixed in the config file/ } } },
      line,
    );
  }
  t.notMatch((await ask('GET /api/v1/keys')).text, /d1d1d1/, 'no digest');
});

t.test('pages', async (t) => {
  const { ask } = await start(t);
  const ids: string[] = ['web', 'ci'];
  for (let index = 0; index < 5; index += 1) ids.push(String((await ask('POST /api/v1/keys')).body['id']));
  for (const limit of [1, 2, 3, 7, 100]) {
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const query: string = cursor === null ? '' : `&cursor=${cursor}`;
      const { body } = await ask(`GET /api/v1/keys?limit=${limit}${query}`);
      const page = body as unknown as { data: { id: string }[]; next: string | null };
      t.ok(page.data.length <= limit && page.data.length > 0);
      seen.push(...page.data.map((key) => key.id));
      cursor = page.next;
    } while (cursor !== null);
    t.same(seen, ids, `pages of ${limit}`);
  }
  t.match(await ask('GET /api/v1/keys?cursor=nobody'), { status: 400, body: { error: { param: 'cursor' } } });
});

t.test('mistakes are named', async (t) => {
  const { ask } = await start(t);
  const cases: readonly (readonly [body: unknown, param: string | null, message: RegExp])[] = [
    [{ lables: {} }, 'lables', /not a known field/],
    [{ labels: { team: 7 } }, 'labels.team', /must be text/],
    [{ labels: { 'a b': 'x' } }, 'labels.a b', /must be a name/],
    [{ labels: { team: 'a\nb' } }, 'labels.team', /control characters/],
    [
      { labels: Object.fromEntries(Array.from({ length: 33 }, (_, index) => [`l${index}`, ''])) },
      'labels',
      /at most 32/,
    ],
    [{ labels: [] }, 'labels', /must be an object/],
    [{ models: [] }, 'models', /null means all/],
    [{ models: 'smart' }, 'models', /must be a list/],
    [{ models: ['a b'] }, 'models.0', /without spaces/],
    [{ endpoints: ['chat'] }, 'endpoints.0', /must be a path/],
    [{ expires: 'tomorrow' }, 'expires', /must be a date/],
    [{ expires: '2027-02-30' }, 'expires', /must be a date/],
    [{ expires: '2020-01-01' }, 'expires', /lies in the past/],
    [{ metadata: { note: 'x'.repeat(1025) } }, 'metadata.note', /at most 1024/],
    [[], null, /must be a JSON object/],
    ['"text"', null, /must be a JSON object/],
  ];
  for (const [body, param, message] of cases)
    t.match(
      await ask('POST /api/v1/keys', body),
      { status: 400, body: { error: { param, message } } },
      JSON.stringify(body).slice(0, 60),
    );
  t.match(await ask('POST /api/v1/keys', '{"labels":{"__proto__":"x"}}'), {
    status: 400,
    body: { error: { message: /__proto__ may not/ } },
  });
  const { id } = (await ask('POST /api/v1/keys', {})).body as { id: string };
  t.match(await ask(`PATCH /api/v1/keys/${id}`, {}), {
    status: 400,
    body: { error: { message: /must name a field/ } },
  });
  for (const grace of ['soon', '721h', -1, ''])
    t.match(
      await ask(`POST /api/v1/keys/${id}/rotate`, { grace }),
      { status: 400, body: { error: { param: 'grace' } } },
      String(grace),
    );
  t.equal((await ask(`POST /api/v1/keys/${id}/revoke`, { hard: true })).status, 400);
  t.match(await ask('GET /api/v1/keys/nobody00'), { status: 404, body: { error: { code: 'not_found' } } });
  t.equal((await ask('PATCH /api/v1/keys/nobody00', { labels: {} })).status, 404);
  t.equal((await ask('POST /api/v1/keys', '{"labels":')).status, 400);
  t.equal((await ask('POST /api/v1/keys', '{}', { 'content-type': 'text/plain' })).status, 415);
  t.equal((await ask('POST /api/v1/keys', JSON.stringify('x'.repeat(300_000)))).status, 413);
});

t.test('who may not', async (t) => {
  const { ask, desk } = await start(t);
  const { id, secret } = (await ask('POST /api/v1/keys', {})).body as { id: string; secret: string };
  for (const line of [
    'GET /api/v1/keys',
    'POST /api/v1/keys',
    `PATCH /api/v1/keys/${id}`,
    `DELETE /api/v1/keys/${id}`,
  ]) {
    t.equal((await ask(line, undefined, { authorization: '' })).status, 401, line);
    t.equal(
      (await ask(line, undefined, { authorization: `Bearer ${secret}` })).status,
      401,
      `${line} with a gateway key`,
    );
  }
  t.equal(desk.ring.find(TOKEN, NOW), null, 'nor is the admin token a gateway key');
  t.equal((await ask('POST /api/v1/keys', {}, { origin: 'http://evil.example' })).status, 403);
  t.equal((await ask('POST /api/v1/keys', {}, { origin: 'null' })).status, 403);
  t.match(await ask('PUT /api/v1/keys', {}), { status: 405 });
  t.equal((await ask('PUT /api/v1/keys', {})).headers.get('allow'), 'GET, HEAD, POST');
  t.equal((await ask(`PUT /api/v1/keys/${id}`, {})).headers.get('allow'), 'GET, HEAD, PATCH, DELETE');
});

t.test('the store cannot be reached', async (t) => {
  const ask = await serve(t, sampleKeyDesk());
  t.equal((await ask('GET /api/v1/keys')).status, 200, 'what is known is shown');
  const refused = await ask('POST /api/v1/keys', {});
  t.match(refused, {
    status: 503,
    body: { error: { code: 'store_unavailable', message: /nothing can be changed now/ } },
  });
  t.notMatch(refused.text, /secret-host/);
});

t.test('the OpenAPI document', async (t) => {
  const { ask } = await start(t);
  const { paths } = (await ask('GET /api/openapi.json')).body as { paths: Record<string, Record<string, Operation>> };
  t.same(Object.keys(paths['/api/v1/keys'] ?? {}), ['get', 'post']);
  t.same(Object.keys(paths['/api/v1/keys/{id}'] ?? {}).sort(), ['delete', 'get', 'patch']);
  const body = paths['/api/v1/keys']?.['post']?.requestBody?.content['application/json'].schema;
  t.same(Object.keys(body?.properties ?? {}), ['labels', 'models', 'endpoints', 'expires', 'metadata']);
  t.equal(body?.additionalProperties, false);
  const names = Object.values(paths).flatMap((operations) => Object.values(operations).map((one) => one.operationId));
  t.equal(new Set(names).size, names.length, 'every operation has a name of its own');
});

interface Operation {
  readonly operationId: string;
  readonly requestBody?: {
    readonly content: {
      readonly 'application/json': { readonly schema: { properties: object; additionalProperties: boolean } };
    };
  };
}

/** The rendered configuration on a real Envoy, between a scripted processor and scripted providers. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type OutgoingHttpHeaders, request, type Server } from 'node:http';
import { connect, createSecureServer } from 'node:http2';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import t from 'tap';
import { ACCESS_LOG_FIELDS } from '../../src/envoy/access-log.js';
import { findEnvoy } from '../../src/envoy/binary.js';
import { renderBootstrapYaml } from '../../src/envoy/bootstrap.js';
import { renderClusters, writeClusters } from '../../src/envoy/cds.js';
import { clustersReady, envoyStartTime, waitForClusters, waitForListener } from '../../src/envoy/envoy-admin.js';
import { clusterName } from '../../src/envoy/names.js';
import { startEnvoy } from '../../src/envoy/run-envoy.js';
import { startProcessor } from './scripted-processor.js';
import { settings } from './snapshots.js';

interface Arrival {
  readonly provider: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

const found = findEnvoy('auto', process.env);
if (!('path' in found)) throw new Error(found.problem);

const arrivals: Arrival[] = [];
const certificate = join(process.cwd(), 'test/envoy/localhost.crt');
const key = join(process.cwd(), 'test/envoy/localhost.key');

/** A provider that answers every request with one status. */
async function provider(name: string, status: number, secure = false): Promise<{ server: Server; port: number }> {
  const answer: Parameters<typeof createServer>[1] = (incoming, outgoing) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const body = Buffer.concat(chunks).toString();
      arrivals.push({ provider: name, path: incoming.url ?? '', headers: incoming.headers, body });
      outgoing.writeHead(status, { 'content-type': 'application/json', 'retry-after': '30' });
      outgoing.end(`{"from":"${name}","http":"${incoming.httpVersion}"}`);
    });
  };
  const server = secure
    ? (createSecureServer({ key: readFileSync(key), cert: readFileSync(certificate), allowHTTP1: true }, (a, b) =>
        (answer as unknown as (request: typeof a, response: typeof b) => void)(a, b),
      ) as unknown as Server)
    : createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, port: (server.address() as AddressInfo).port };
}

async function closedPort(): Promise<number> {
  const server = createTcpServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const directory = mkdtempSync(join(tmpdir(), 'tollgate-envoy-'));
const logs = join(directory, 'logs');
mkdirSync(logs);
const options = {
  socket: join(directory, 'extproc.sock'),
  cdsPath: join(directory, 'cds.json'),
  accessLogPath: join(logs, 'access.jsonl'),
  attemptLogPath: join(logs, 'attempts.jsonl'),
  caBundle: certificate,
  messageTimeoutMs: 2_000,
};
const bootstrapPath = join(directory, 'envoy.yaml');

const [limited, good, secure] = await Promise.all([
  provider('limited', 429),
  provider('good', 200),
  provider('secure', 200, true),
]);
const first = {
  limited: `http://localhost:${limited.port}/v1`,
  good: `http://127.0.0.1:${good.port}/v1`,
  dead: `http://127.0.0.1:${await closedPort()}/v1`,
  nowhere: 'http://name.invalid/v1',
  secure: `https://localhost:${secure.port}/v1`,
  impostor: `https://127.0.0.2:${secure.port}/v1`,
};
const config = settings({ providers: first, bodyLimit: 1024 * 1024 });
writeFileSync(bootstrapPath, renderBootstrapYaml(config, options));
const firstUpdate = renderClusters(config, options);
await writeClusters(options.cdsPath, firstUpdate);
let processor = await startProcessor(options.socket);
const began = Date.now();
const exits: unknown[] = [];
const envoy = startEnvoy({
  binary: found.path,
  bootstrapPath,
  logPath: join(logs, 'envoy.log'),
  adminAddressPath: join(directory, 'admin.txt'),
  concurrency: 1,
  onExit: (exit) => exits.push(exit),
});
const admin = await envoy.admin();
const gateway = await waitForListener(admin, 15_000);

t.teardown(async () => {
  await envoy.stop(0);
  processor.stop();
  for (const { server } of [limited, good, secure]) server.close();
  rmSync(directory, { recursive: true, force: true });
});

interface Ask {
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string | Buffer;
  readonly path?: string;
  readonly method?: string;
}

function ask(script: string, extra: Ask = {}): Promise<Reply> {
  const headers = { 'x-tollgate-metadata': script, authorization: 'Bearer gateway-key', ...extra.headers };
  return new Promise((resolve, reject) => {
    const path = extra.path ?? '/v1/chat/completions?key=secret';
    const method = extra.method ?? 'POST';
    const call = request(
      { host: gateway.host, port: gateway.port, path, method, headers, agent: false },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks).toString(),
          }),
        );
        response.on('error', reject);
      },
    );
    call.on('error', reject);
    call.end(method === 'GET' ? undefined : (extra.body ?? '{"model":"smart"}'));
  });
}

const to = (...names: (keyof typeof first | 'late')[]) => `targets=${names.map(clusterName).join(',')}`;

/** The error object of a JSON reply. */
function error(reply: Reply): Record<string, unknown> {
  return (JSON.parse(reply.body) as { error: Record<string, unknown> }).error;
}

/** The access log's line for a request id; lines come within the flush interval. */
async function logLine(id: unknown): Promise<Record<string, unknown>> {
  for (let tries = 0; tries < 100; tries += 1) {
    const lines = readFileSync(options.accessLogPath, 'utf8').split('\n').filter(Boolean);
    const parsed = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    const line = parsed.find((entry) => entry['id'] === id);
    if (line !== undefined) return line;
    await pause(20);
  }
  throw new Error(`no access log line for ${String(id)}`);
}

t.test('the admin tells the clusters, the start and the real ports', async (t) => {
  const names = Object.keys(first).map(clusterName);
  t.ok(await waitForClusters(admin, { version: firstUpdate.version_info, names }, 5_000));
  t.notOk(await clustersReady(admin, { version: 'another', names }));
  t.notOk(await clustersReady(admin, { version: null, names: ['provider-missing'] }));
  const start = await envoyStartTime(admin);
  t.ok(start <= Date.now() && start > began - 3_000, 'start within the promised second');
  t.ok(gateway.port > 0);
});

t.test('the gate lets nothing undecided pass', async (t) => {
  const before = arrivals.length;
  for (const method of ['POST', 'GET']) {
    const reply = await ask('undecided', { method });
    t.equal(reply.status, 503);
    t.equal(reply.headers['retry-after'], '1');
    t.match(reply.headers['content-type'], 'application/json');
    t.match(error(reply), { type: 'api_error', code: 'gateway_unavailable', param: null, message: String });
    t.match(reply.headers['x-request-id'], /^[0-9a-f-]{36}$/);
  }
  t.equal(arrivals.length, before, 'no provider saw anything');
});

t.test('the service may answer itself, in its own words', async (t) => {
  const reply = await ask('refuse');
  t.equal(reply.status, 418);
  t.equal(reply.body, '{"mine":true}');
  t.match(reply.headers['x-request-id'], /^[0-9a-f-]{36}$/);
  t.equal((await logLine(reply.headers['x-request-id']))['details'], 'tollgate_refused');
});

t.test('targets are tried in order, each with its own credentials, body and host', async (t) => {
  arrivals.length = 0;
  const reply = await ask(to('limited', 'dead', 'nowhere', 'impostor', 'good'));
  t.equal(reply.status, 200, 'the provider that said retry-after 30 did not delay it');
  t.equal(JSON.parse(reply.body).from, 'good');
  t.equal(reply.headers['server'], 'tollgate');
  const [one, two] = arrivals;
  t.equal(arrivals.length, 2);
  t.match(one, { provider: 'limited', path: '/upstream/1', body: '{"target":"provider-limited"}' });
  t.match(two, { provider: 'good', path: '/upstream/again', body: '{"target":"provider-good","again":true}' });
  t.equal(one?.headers.host, `localhost:${limited.port}`);
  t.equal(two?.headers.host, `127.0.0.1:${good.port}`);
  t.equal(one?.headers.authorization, 'Bearer key-of-provider-limited');
  t.equal(two?.headers.authorization, 'Bearer key-of-provider-good');
  t.equal(two?.headers['content-length'], String(two?.body.length));
  t.equal(two?.headers['transfer-encoding'], undefined);
  const again = processor.seen.filter((seen) => seen.role === 'again' && seen.phase === 'request_headers').slice(-4);
  t.same(
    again.map((seen) => seen.attributes['xds.cluster_name']),
    ['dead', 'nowhere', 'impostor', 'good'].map(clusterName),
  );
  t.same(
    again.map((seen) => seen.attributes['upstream.request_attempt_count']),
    [2, 3, 4, 5],
  );
  const rid = reply.headers['x-request-id'];
  t.ok(again.every((seen) => seen.rid === rid && seen.metadata['rid'] === rid && seen.metadata['key'] === 'web'));
  const answered = processor.seen.findLast((seen) => seen.role === 'request' && seen.phase === 'response_headers');
  t.match(answered?.attributes, {
    'xds.cluster_name': 'provider-good',
    'upstream.request_attempt_count': 5,
    'response.code_details': 'via_upstream',
  });
});

t.test('a provider with TLS is spoken to in HTTP/2 under its own name', async (t) => {
  arrivals.length = 0;
  const reply = await ask(to('secure'));
  t.equal(JSON.parse(reply.body).http, '2.0');
  t.equal(arrivals[0]?.headers[':authority'], `localhost:${secure.port}`);
  t.equal(arrivals[0]?.headers[':scheme'], 'https');
});

t.test("a client's internal headers reach neither the service nor a provider", async (t) => {
  arrivals.length = 0;
  const forged = {
    'x-request-id': 'mine',
    'x-envoy-max-retries': '9',
    'X-Envoy-Original-Path': '/admin',
    'x-envoy-anything': '1',
    'x-tollgate-decision': 'pass',
    'x-tollgate-metadatax': '1',
    'x-tollgate-meta': '1',
    'x-tollgate-provider': '1',
    'x-tollgate-provider-keys': '1',
    'x-tollgate-': '1',
    'x-tollgate-cache': 'off',
    'x-forwarded-host': 'evil',
    'x-forwarded-proto': 'https',
    connection: 'authorization',
  };
  const reply = await ask(to('limited', 'good'), { headers: forged });
  t.equal(reply.status, 200);
  t.not(reply.headers['x-request-id'], 'mine');
  const asked = processor.seen.findLast((seen) => seen.role === 'request' && seen.phase === 'request_headers');
  const internal = Object.keys(asked?.headers ?? {}).filter((name) => /^x-(tollgate|envoy)-/.test(name));
  t.same(
    internal.filter((name) => name !== 'x-envoy-external-address').sort(),
    ['x-tollgate-cache', 'x-tollgate-metadata'],
    'only our two, and what Envoy says itself',
  );
  t.equal(asked?.headers['x-request-id'], reply.headers['x-request-id']);
  for (const arrival of arrivals) {
    const leaked = Object.keys(arrival.headers).filter((name) => /^x-(tollgate|envoy|forwarded|request)-/.test(name));
    t.same(leaked, [], `${arrival.provider} sees none`);
    t.notMatch(JSON.stringify(arrival), /gateway-key|evil/);
  }
  t.equal(arrivals.length, 2);
});

t.test('a new set of clusters serves within a second', async (t) => {
  const more = settings({ providers: { ...first, late: `http://127.0.0.1:${good.port}/v1` } });
  const update = renderClusters(more, options);
  const written = Date.now();
  await writeClusters(options.cdsPath, update);
  t.ok(await waitForClusters(admin, { version: update.version_info, names: [clusterName('late')] }, 2_000));
  const reply = await ask(to('late'));
  t.equal(reply.status, 200);
  t.ok(Date.now() - written < 1_000, `${Date.now() - written} ms`);
});

t.test("Envoy's own replies are JSON in OpenAI's shape", async (t) => {
  const large = Buffer.alloc(1024 * 1024 + 1, 0x20);
  const cases: readonly (readonly [string, () => Promise<Reply>, number, string, string | null])[] = [
    ['too large', () => ask(to('good'), { body: large }), 413, 'invalid_request_error', 'request_too_large'],
    ['no targets left', () => ask(to('dead')), 503, 'api_error', 'upstream_unavailable'],
    ['unknown cluster', () => ask('targets=unknown'), 503, 'api_error', 'upstream_unavailable'],
    ['default group', () => ask('targets=none'), 503, 'api_error', 'upstream_unavailable'],
    ['escaped null', () => ask(to('good'), { path: '/v1%00models' }), 400, 'invalid_request_error', null],
    [
      'underscore',
      () => ask(to('good'), { headers: { x_tollgate_decision: 'pass' } }),
      400,
      'invalid_request_error',
      null,
    ],
    [
      'large headers',
      () => ask(to('good'), { headers: { big: 'x'.repeat(61_500) } }),
      431,
      'invalid_request_error',
      null,
    ],
    [
      'websocket',
      () => ask(to('good'), { method: 'GET', headers: { connection: 'upgrade', upgrade: 'websocket' } }),
      400,
      'invalid_request_error',
      'unsupported_endpoint',
    ],
  ];
  for (const [name, send, status, type, code] of cases) {
    const reply = await send();
    t.equal(reply.status, status, name);
    t.match(reply.headers['content-type'], 'application/json', name);
    t.match(error(reply), { type, code, param: null, message: String }, name);
  }
});

t.test('a body just below the limit passes, on HTTP/1 and on HTTP/2', async (t) => {
  const body = Buffer.alloc(1024 * 1024 - 1, 0x20);
  t.equal((await ask(to('good'), { body })).status, 200);
  const session = connect(`http://127.0.0.1:${gateway.port}`);
  const stream = session.request({ ':method': 'POST', ':path': '/v1/x', 'x-tollgate-metadata': to('good') });
  stream.end(body);
  const status = await new Promise((resolve, reject) => {
    stream.on('response', (headers) => resolve(headers[':status']));
    stream.on('error', reject);
  });
  session.destroy();
  t.equal(status, 200);
});

t.test('every request is one line in the access log, with our facts', async (t) => {
  const reply = await ask(to('limited', 'good'));
  const line = await logLine(reply.headers['x-request-id']);
  t.same(Object.keys(line).sort(), Object.keys(ACCESS_LOG_FIELDS).sort());
  t.match(line, {
    time: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/,
    method: 'POST',
    path: '/v1/chat/completions',
    protocol: 'HTTP/1.1',
    remote: '127.0.0.1',
    status: 200,
    details: 'via_upstream',
    bytes_received: 17,
    bytes_sent: reply.body.length,
    ms: Number,
    first_byte_ms: Number,
    attempts: 2,
    cluster: 'provider-good',
    key: 'web',
    model: 'smart',
    endpoint: '/v1/chat/completions',
    stream: true,
    generation: 7,
  });
  t.equal(line['failure'], null);
  const refused = await logLine((await ask(to('dead'))).headers['x-request-id']);
  t.match(refused, { status: 503, flags: /UF/, failure: /refused/i, cluster: 'provider-dead' });
  t.ok(Math.abs(Date.parse(String(line['time'])) - Date.now()) < 5_000, 'UTC');
});

t.test('without the service nothing passes, and with it back everything does', async (t) => {
  const before = arrivals.length;
  processor.stop();
  const reply = await ask(to('good'));
  t.equal(reply.status, 503);
  t.equal(error(reply)['code'], 'gateway_unavailable');
  t.equal(arrivals.length, before);
  processor = await startProcessor(options.socket);
  t.equal((await ask(to('good'))).status, 200);
});

t.test('stop drains and ends Envoy', async (t) => {
  await envoy.stop(1_000);
  t.equal(exits.length, 1);
  await t.rejects(ask(to('good')));
});

import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import t from 'tap';
import { listen, shut } from '../../src/mock/listen.js';
import { exchange, opened } from './client.js';
import { type Gateway, KEY, startGateway, type TestContext } from './harness.js';

const LIMIT = 256 * 1024;

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly authorization: string;
  readonly bytes: number;
}

/** A provider with an API that nobody here knows: it says what it got; below `/echo` it sends back as it receives. */
class Unknown {
  readonly seen: Seen[] = [];
  readonly server = createServer((incoming, answer) => void this.#serve(incoming, answer));

  async #serve(incoming: IncomingMessage, answer: ServerResponse): Promise<void> {
    const { method = '', url = '', headers } = incoming;
    if (url.startsWith('/echo')) {
      answer.writeHead(200, { 'content-type': 'application/octet-stream' });
      incoming.pipe(answer);
      return;
    }
    let bytes = 0;
    for await (const chunk of incoming) bytes += (chunk as Buffer).length;
    this.seen.push({ method, url, authorization: headers.authorization ?? '', bytes });
    const failed = url.startsWith('/fail');
    const status = failed ? Number(url.slice('/fail/'.length)) : method === 'DELETE' ? 204 : 200;
    answer.writeHead(status, {
      'content-type': 'application/json',
      'x-of': 'it',
    });
    answer.end(
      method === 'HEAD' || method === 'DELETE' ? undefined : JSON.stringify(failed ? { why: 'busy' } : { bytes }),
    );
  }
}

async function setUp(test: TestContext): Promise<{ gateway: Gateway; provider: Unknown }> {
  const provider = new Unknown();
  const { port } = await listen(provider.server, { host: '127.0.0.1', port: 0 });
  test.teardown(() => shut(provider.server));
  const account = { base_url: `http://127.0.0.1:${port}/v1`, credentials: 'sk-provider' };
  const gateway = await startGateway(test, {
    config: {
      gateway: { body_limit: LIMIT },
      providers: { p: { kind: 'openai-compatible', stored_objects: 'shared', ...account } },
    },
  });
  return { gateway, provider };
}

const AUTHORIZED = { authorization: `Bearer ${KEY}` };

t.test("a provider's own API, byte by byte", async (t) => {
  const { gateway, provider } = await setUp(t);
  const at = (path: string) => `${gateway.url}/providers/p${path}`;

  t.test('every method, with its query and with or without a body', async (t) => {
    for (const method of ['GET', 'HEAD', 'DELETE', 'PUT', 'PATCH', 'POST', 'OPTIONS']) {
      const answer = await exchange(at('/v1/files/f?limit=2&after=a%2Fb&key=x'), { method, headers: AUTHORIZED });
      t.equal(answer.status, method === 'DELETE' ? 204 : 200, method);
      t.equal(answer.headers['x-of'], 'it');
      t.equal(answer.headers['x-tollgate-provider'], 'p');
      const url = '/v1/files/f?limit=2&after=a%2Fb&key=x';
      t.same(provider.seen.at(-1), { method, url, authorization: 'Bearer sk-provider', bytes: 0 });
    }
    const put = await exchange(at('/v1/x'), { method: 'PUT', headers: AUTHORIZED, body: '12345' });
    t.equal(put.text, '{"bytes":5}');
  });

  t.test('an upload far above the limit for what is read', async (t) => {
    const form = { ...AUTHORIZED, 'content-type': 'multipart/form-data; boundary=x' };
    const whole = await exchange(at('/v1/files'), { headers: form, body: Buffer.alloc(40 * LIMIT) });
    t.equal(whole.text, `{"bytes":${40 * LIMIT}}`);
    async function* pieces() {
      for (let piece = 0; piece < 40; piece += 1) yield Buffer.alloc(LIMIT);
    }
    t.equal((await exchange(at('/v1/files'), { headers: form, body: pieces() })).text, `{"bytes":${40 * LIMIT}}`);
    const read = await exchange(at('/v1/chat/completions'), { headers: AUTHORIZED, body: Buffer.alloc(2 * LIMIT) });
    t.equal(read.status, 413, 'what is read has a limit here too');
  });

  t.test('both directions at once, each piece as it comes', async (t) => {
    const call = request(at('/echo'), { method: 'POST', headers: AUTHORIZED, agent: false });
    call.flushHeaders();
    call.write('first');
    const [answer] = (await once(call, 'response')) as [IncomingMessage];
    t.equal(String((await once(answer, 'data'))[0]), 'first', 'before the request has ended');
    call.write('second');
    t.equal(String((await once(answer, 'data'))[0]), 'second');
    const id = String(answer.headers['x-request-id']);
    t.match(await gateway.metrics(), /^tollgate_ext_proc_streams 1$/m, 'the service waits for the end');
    call.end();
    answer.resume();
    await once(answer, 'end');
    const record = await gateway.record(id);
    t.match(record, { status: 200, endpoint: '/providers/p', target: 'p/raw', attempts: [{ outcome: 'success' }] });
  });

  t.test('a client that leaves', async (t) => {
    const answer = await opened(at('/echo'), {
      headers: AUTHORIZED,
      body: (async function* () {
        yield Buffer.from('something');
        await new Promise(() => undefined);
      })(),
    });
    await answer.until('something');
    answer.abort();
    const record = await gateway.record(String(answer.headers['x-request-id']));
    t.match(record, { code: 'client_closed', attempts: [{ outcome: 'aborted', reason: 'client_closed' }] });
  });

  t.test('refusals', async (t) => {
    t.equal((await exchange(at('/v1/files'), { method: 'GET' })).status, 401);
    t.equal((await exchange(`${gateway.url}/providers/q/v1`, { method: 'GET', headers: AUTHORIZED })).status, 404);
    t.equal(
      (await exchange(`${gateway.url}/elsewhere`, { method: 'PUT', headers: AUTHORIZED, body: 'x' })).status,
      404,
    );
    const busy = await exchange(at('/fail/409'), { method: 'POST', headers: AUTHORIZED, body: 'x' });
    t.match(busy, { status: 409, text: '{"why":"busy"}' }, 'in the provider’s own words');
    t.match(await gateway.record(String(busy.headers['x-request-id'])), {
      status: 409,
      code: 'provider_error',
      attempts: [{ outcome: 'error', reason: '409' }],
    });
    const blamed = await exchange(at('/fail/401'), { method: 'GET', headers: AUTHORIZED });
    const answer = { status: blamed.status, body: JSON.parse(blamed.text) };
    t.match(answer, { status: 502, body: { error: { code: 'provider_auth' } } });
  });
  await gateway.settled();
});

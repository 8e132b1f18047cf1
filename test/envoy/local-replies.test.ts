/** What Envoy says itself, on a real Envoy, in the error shape of the client. */
import { join } from 'node:path';
import t from 'tap';
import { exchange } from '../e2e/client.js';
import { refusingUrl } from '../e2e/scripted.js';
import { startEnvoyUnderTest } from './envoy-under-test.js';

const UUID = /^[0-9a-f-]{36}$/;

t.test("Envoy's own replies are in the client's dialect", async (t) => {
  const certificate = join(process.cwd(), 'test/envoy/localhost.crt');
  const envoy = await startEnvoyUnderTest({ dead: await refusingUrl() }, certificate);
  t.teardown(() => envoy.stop());
  const url = `http://${envoy.gateway.host}:${envoy.gateway.port}`;
  const large = Buffer.alloc(1024 * 1024 + 1, 0x20);
  const ask = (path: string, what: string) =>
    exchange(url + path, {
      headers: { 'x-tollgate-metadata': what === 'gate' ? 'undecided' : 'targets=provider-dead' },
      body: what === 'large' ? large : '{}',
    });

  const anthropic = (type: string) => ({ type: 'error', error: { type, message: String }, request_id: UUID });
  const google = (code: number, status: string, reason: string) => ({
    error: { code, message: String, status, details: [{ reason, domain: 'tollgate' }] },
  });
  const gemini = '/v1/models/gemini-x:streamGenerateContent?alt=sse';
  const cases: readonly (readonly [path: string, what: 'gate' | 'large' | 'dead', status: number, body: object])[] = [
    ['/v1/messages?beta=true', 'gate', 503, anthropic('overloaded_error')],
    ['/v1/messages/count_tokens', 'large', 413, anthropic('request_too_large')],
    ['/v1/messages', 'dead', 503, anthropic('overloaded_error')],
    ['/v1beta/models/x:generateContent', 'gate', 503, google(503, 'UNAVAILABLE', 'GATEWAY_UNAVAILABLE')],
    [gemini, 'large', 413, google(413, 'INVALID_ARGUMENT', 'REQUEST_TOO_LARGE')],
    [gemini, 'dead', 503, google(503, 'UNAVAILABLE', 'UPSTREAM_UNAVAILABLE')],
    ['/v1/models/llama:8b', 'gate', 503, { error: { code: 'gateway_unavailable', type: 'api_error' } }],
  ];
  for (const [path, what, status, expected] of cases) {
    const reply = await ask(path, what);
    const body = JSON.parse(reply.text);
    t.match({ status: reply.status, body }, { status, body: expected }, `${path} ${what}`);
    t.equal(reply.headers['content-type'], 'application/json');
    if (path.startsWith('/v1/messages')) t.equal(body.request_id, reply.headers['x-request-id'], 'one id');
  }
  const escaped = await ask('/v1/messages/%00x', 'dead');
  t.match(JSON.parse(escaped.text), { type: 'error', error: { type: 'invalid_request_error' } }, 'before any filter');

  envoy.processor.stop();
  t.match(JSON.parse((await ask('/v1/messages', 'dead')).text), anthropic('overloaded_error'), 'without the service');
  t.match(JSON.parse((await ask(gemini, 'dead')).text), google(503, 'UNAVAILABLE', 'GATEWAY_UNAVAILABLE'));
});

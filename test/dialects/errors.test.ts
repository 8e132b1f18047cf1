import { readFileSync } from 'node:fs';
import t from 'tap';
import { clientError } from '../../src/dialects/client-error.js';
import { errorShapeForPath, matchEndpoint, modelIdFromPath } from '../../src/dialects/endpoints.js';
import { GatewayError, renderError } from '../../src/dialects/error.js';
import { ERROR_CODES, type ErrorCode, prefixedCode } from '../../src/dialects/error-codes.js';
import { errorReference } from '../../src/dialects/error-reference.js';
import { readProviderError } from '../../src/dialects/provider-error.js';
import { allRecordings, NO_RECORDINGS } from './recordings.js';

function provider(status: number, body: unknown, headers: Record<string, string> = {}) {
  return readProviderError(status, headers, Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)));
}

function shown(status: number, body: unknown, headers: Record<string, string> = {}) {
  const { error, keepBodyFor: keep } = clientError(provider(status, body, headers), status);
  return { status: error.status, code: error.code, shown: error.shownCode, message: error.message, keep };
}

t.test('endpoints', async (t) => {
  t.match(matchEndpoint('POST', '/v1/chat/completions?api-version=1'), {
    wire: 'openai-chat',
    upstreamPath: '/chat/completions',
    body: 'json',
  });
  t.match(matchEndpoint('POST', '/v1/audio/translations'), { wire: 'openai-transcription', body: 'multipart' });
  t.match(matchEndpoint('GET', '/v1/models'), { wire: 'openai-models', path: '/v1/models', body: 'none' });
  t.match(matchEndpoint('GET', '/v1/models/openai%2Fgpt'), { path: '/v1/models/{model}' });
  t.equal(modelIdFromPath('/v1/models/a/b%2Fc:8b?x=1'), 'a/b/c:8b');
  for (const [method, path] of [
    ['GET', '/v1/chat/completions'],
    ['POST', '/v1/chat/completions/'],
    ['POST', '/V1/chat/completions'],
    ['POST', '//v1/chat/completions'],
    ['GET', '/v1/messages'],
    ['POST', '/v1/messages/'],
    ['POST', '/providers/'],
    ['POST', '/providers/UPPER/v1/x'],
    ['DELETE', '/v1/models/x'],
    ['GET', '/v1/models/'],
    ['GET', '/v1/models/%ff'],
    ['GET', '/v1/models/gemini:generateContent'],
    ['POST', '/v1/models/gemini:tune'],
    ['POST', '__proto__'],
  ] as const) {
    t.equal(matchEndpoint(method, path), null, `${method} ${path}`);
  }
  t.match(matchEndpoint('POST', '/v1/messages?beta=true'), { wire: 'anthropic-messages', upstreamPath: '/messages' });
  t.match(matchEndpoint('POST', '/v1/messages/count_tokens'), { wire: 'anthropic-count-tokens', errors: 'anthropic' });
  t.match(matchEndpoint('POST', '/v1/models/gemini:generateContent'), {
    wire: 'gemini-generate',
    path: '/v1beta/models/{model}:generateContent',
    named: { model: 'gemini', stream: false, sse: false },
  });
  t.match(matchEndpoint('POST', '/v1beta/models/google%2Fg-2:streamGenerateContent?key=x&alt=sse'), {
    errors: 'google',
    named: { model: 'google/g-2', stream: true, sse: true },
  });
  t.match(matchEndpoint('DELETE', '/providers/openai/v1/files/f-1?x=1'), {
    wire: 'raw',
    path: '/providers/openai',
    method: 'DELETE',
    body: 'any',
    direct: { provider: 'openai', path: '/v1/files/f-1?x=1' },
  });
  t.match(matchEndpoint('POST', '/providers/groq/openai/v1/chat/completions'), {
    wire: 'openai-chat',
    body: 'json',
    direct: { provider: 'groq', path: '/openai/v1/chat/completions' },
  });
  t.match(matchEndpoint('POST', '/providers/claude/v1/messages'), { wire: 'anthropic-messages', errors: 'anthropic' });
  t.match(matchEndpoint('POST', '/providers/g/v1beta/models/gem:streamGenerateContent'), {
    wire: 'gemini-generate',
    named: { model: 'gem', stream: true, sse: false },
    direct: { path: '/v1beta/models/gem:streamGenerateContent' },
  });
  t.match(matchEndpoint('POST', '/providers/aws/model/a.b%3A0/converse-stream'), {
    wire: 'bedrock-converse',
    named: { model: 'a.b:0', stream: true },
  });
  t.equal(errorShapeForPath('/providers/claude/v1/messages'), 'anthropic');
  t.equal(errorShapeForPath('/v1/messages?beta=true'), 'anthropic');
  t.equal(errorShapeForPath('/v1/messages/count_tokens'), 'anthropic');
  t.equal(errorShapeForPath('/v1beta/models/x:countTokens'), 'google');
  t.equal(errorShapeForPath('/v1/models/x:streamGenerateContent?alt=sse'), 'google');
  t.equal(errorShapeForPath('/v1/models/llama3:8b'), 'openai');
  t.equal(errorShapeForPath('/v1/messagesx'), 'openai');
});

t.test('shapes', async (t) => {
  const error = new GatewayError('invalid_json', 'a "quoted"\nline ünd <b>', { param: 'model' });
  const json = (shape: 'openai' | 'anthropic' | 'google') =>
    JSON.parse(renderError(error, shape, 'r1').body.toString());
  t.strictSame(json('openai'), {
    error: { message: error.message, type: 'invalid_request_error', param: 'model', code: 'invalid_json' },
  });
  t.strictSame(json('anthropic'), {
    type: 'error',
    error: { type: 'invalid_request_error', message: error.message },
    request_id: 'r1',
  });
  t.match(json('google'), {
    error: { code: 400, message: error.message, status: 'INVALID_ARGUMENT', details: [{ reason: 'INVALID_JSON' }] },
  });
  t.strictSame(renderError(error, 'openai', 'r1').headers, {
    'content-type': 'application/json',
    'x-request-id': 'r1',
  });
  t.match(renderError(new GatewayError('insufficient_quota', 'x', { headers: { 'retry-after': '5' } }), 'openai'), {
    status: 429,
    headers: { 'x-should-retry': 'false', 'retry-after': '5' },
  });
  t.equal(prefixedCode('provider_auth'), 'provider.provider_auth');
  for (const code of Object.keys(ERROR_CODES) as ErrorCode[]) {
    for (const shape of ['openai', 'anthropic', 'google'] as const) {
      t.equal(renderError(new GatewayError(code, 'm'), shape).status, ERROR_CODES[code].status);
    }
  }
  const document = new URL('../../../docs/errors.md', import.meta.url);
  t.equal(readFileSync(document, 'utf8'), errorReference(), 'docs/errors.md is current');
});

t.test('what providers say', async (t) => {
  const cases: readonly [name: string, status: number, body: unknown, expected: object][] = [
    [
      'OpenAI',
      400,
      { error: { message: 'm', type: 't', param: 'p', code: 'c' } },
      { message: 'm', type: 't', param: 'p', code: 'c', kind: 'invalid', shape: 'openai' },
    ],
    [
      'Mistral',
      400,
      { object: 'error', message: 'm', type: 't', param: null, code: '3051', raw_status_code: 400 },
      { message: 'm', code: '3051', shape: null },
    ],
    [
      'Mistral details',
      422,
      { object: 'error', message: { detail: [{ loc: ['body', 'x'], msg: 'Extra inputs' }] } },
      { message: 'body.x: Extra inputs', kind: 'invalid' },
    ],
    [
      'xAI',
      400,
      { code: 'invalid-argument', error: 'text' },
      { message: 'text', code: 'invalid-argument', shape: null },
    ],
    ['Ollama', 404, { error: 'model "x" not found' }, { message: 'model "x" not found', kind: 'not_found' }],
    [
      'OpenRouter',
      429,
      { error: { code: 429, message: 'm', metadata: {} }, user_id: 'u' },
      { message: 'm', code: '429', kind: 'rate_limit', shape: 'openai' },
    ],
    [
      'Gemini shim',
      400,
      [{ error: { code: 400, message: 'm', status: 'INVALID_ARGUMENT' } }],
      { message: 'm', code: 'INVALID_ARGUMENT', type: null, shape: null },
    ],
    [
      'vLLM',
      400,
      { object: 'error', message: 'maximum context length is 10', type: 'BadRequestError', code: 400 },
      { kind: 'context_length' },
    ],
    [
      'FastAPI',
      422,
      { detail: [{ loc: ['body', 'model'], msg: 'Field required' }] },
      { message: 'body.model: Field required' },
    ],
    ['Voyage', 400, { detail: 'no such model' }, { message: 'no such model' }],
    ['Cohere', 404, { id: 'x', message: 'not here' }, { message: 'not here', kind: 'not_found' }],
    ['plain text', 404, '404 page not found', { message: '404 page not found', kind: 'not_found' }],
    ['HTML', 502, '<html>Bad gateway</html>', { message: null, kind: 'server' }],
    ['broken JSON', 400, '{"error":', { message: null }],
    ['empty', 500, '', { message: null, kind: 'server' }],
    ['content filter', 400, { error: { message: 'm', code: 'content_filter' } }, { kind: 'content_filter' }],
    [
      'Gemini key',
      400,
      [
        {
          error: { code: 400, message: 'API key not valid. Please pass a valid API key.', status: 'INVALID_ARGUMENT' },
        },
      ],
      { kind: 'auth' },
    ],
    [
      'OpenAI key',
      401,
      { error: { message: 'Incorrect API key provided: sk-abc', code: 'invalid_api_key' } },
      { kind: 'auth' },
    ],
    [
      'Anthropic',
      400,
      { type: 'error', error: { type: 'invalid_request_error', message: 'm' }, request_id: 'req_1' },
      { message: 'm', type: 'invalid_request_error', code: null, kind: 'invalid', shape: 'anthropic' },
    ],
    [
      'Anthropic, overloaded',
      529,
      { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } },
      { message: 'Overloaded', type: 'overloaded_error', kind: 'server', shape: 'anthropic' },
    ],
    [
      'Anthropic key, whatever the status',
      400,
      { type: 'error', error: { type: 'authentication_error', message: 'm' } },
      { kind: 'auth' },
    ],
    [
      'Anthropic, unpaid',
      400,
      {
        type: 'error',
        error: {
          type: 'invalid_request_error',
          message: 'Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing.',
        },
      },
      { kind: 'auth' },
    ],
    [
      'Gemini',
      404,
      { error: { code: 404, message: 'm', status: 'NOT_FOUND' } },
      { message: 'm', code: 'NOT_FOUND', type: null, kind: 'not_found', shape: 'google' },
    ],
    [
      'Google key by its reason',
      400,
      {
        error: {
          code: 400,
          message: 'Something is wrong.',
          status: 'INVALID_ARGUMENT',
          details: [{ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'API_KEY_INVALID' }],
        },
      },
      { kind: 'auth' },
    ],
    ['Google token', 401, { error: { code: 401, message: 'm', status: 'UNAUTHENTICATED' } }, { kind: 'auth' }],
    ['xAI key', 400, { code: 'x', error: 'Incorrect API key provided: ab***' }, { kind: 'auth' }],
    ['Mistral key', 401, { detail: 'Unauthorized' }, { kind: 'auth' }],
    ['key in code', 404, { error: { message: 'm', code: 'invalid_api_key' } }, { kind: 'auth' }],
    [
      'limited key',
      429,
      { error: { message: 'Rate limit reached for this API key, no requests left' } },
      { kind: 'rate_limit' },
    ],
    [
      'your own key',
      429,
      { error: { message: 'add your own key to accumulate your rate limits' } },
      { kind: 'rate_limit' },
    ],
  ];
  for (const [name, status, body, expected] of cases) t.match(provider(status, body), expected, name);
  const aws = (status: number, name: string, message: string) =>
    provider(status, { message }, { 'x-amzn-errortype': `${name}:http://internal.amazon.com/coral/` });
  t.match(aws(400, 'ValidationException', 'm'), {
    message: 'm',
    code: 'ValidationException',
    kind: 'invalid',
    shape: null,
  });
  t.match(aws(400, 'ValidationException', 'Input is too long for requested model.'), { kind: 'context_length' });
  t.match(aws(429, 'ThrottlingException', 'm'), { kind: 'rate_limit' });
  t.match(aws(400, 'ServiceQuotaExceededException', 'm'), { kind: 'rate_limit' });
  t.match(aws(404, 'ResourceNotFoundException', 'm'), { kind: 'not_found' });
  for (const name of [
    'UnrecognizedClientException',
    'ExpiredTokenException',
    'AccessDeniedException',
    'InvalidSignatureException',
  ])
    t.match(aws(400, name, 'm'), { kind: 'auth' }, name);
  t.match(provider(400, { __type: 'com.amazon.coral.service#ExpiredTokenException', Message: 'm' }), {
    message: 'm',
    code: 'ExpiredTokenException',
    kind: 'auth',
  });
  t.equal(provider(400, { error: { message: 'x'.repeat(9000) } }).message?.length, 2000);
});

t.test('what the client gets', async (t) => {
  const openai = { error: { message: 'm', type: 't', param: null, code: 'c' } };
  for (const status of [400, 404, 409, 413, 422]) {
    t.strictSame(shown(status, openai), { status, code: 'provider_error', shown: 'c', message: 'm', keep: 'openai' });
  }
  t.match(shown(429, openai), { status: 429, code: 'provider_rate_limited', shown: 'c', keep: 'openai' });
  for (const status of [401, 403]) t.match(shown(status, openai), { status: 502, code: 'provider_auth', keep: null });
  const blamed = shown(400, { error: { message: 'Incorrect API key provided: sk-secret' } });
  t.match(blamed, { status: 502, code: 'provider_auth', keep: null });
  t.notMatch(blamed.message, /sk-secret/);
  for (const status of [500, 502, 503, 529, 402, 418])
    t.match(shown(status, openai), { status: 502, code: 'provider_error', keep: null });
  t.match(shown(400, '<html>'), { status: 502, code: 'provider_error' });
  t.match(shown(413, '<html>'), { status: 413, shown: null });
  t.match(shown(429, ''), { status: 429, shown: 'provider_rate_limited' });
  t.match(shown(400, { code: 'x', error: 'text' }), { status: 400, shown: 'x', message: 'text', keep: null });
  const limited = clientError(provider(429, openai, { 'retry-after': '7', 'retry-after-ms': 'a\r\nb' }), 429);
  t.strictSame(limited.error.headers, { 'retry-after': '7' });
});

t.test('retry delays', async (t) => {
  const body = (retryDelay: unknown) => ({
    error: {
      code: 429,
      message: 'm',
      status: 'RESOURCE_EXHAUSTED',
      details: [
        { '@type': 'type.googleapis.com/google.rpc.QuotaFailure' },
        { '@type': 'x/google.rpc.RetryInfo', retryDelay },
      ],
    },
  });
  t.strictSame(provider(429, body('34.074824224s')).retry, { 'retry-after': '35' });
  t.strictSame(provider(429, [body('7s')]).retry, { 'retry-after': '7' }, 'in a list');
  t.strictSame(
    provider(429, body('7s'), { 'retry-after-ms': '20' }).retry,
    { 'retry-after-ms': '20' },
    'headers first',
  );
  for (const strange of ['soon', '-1s', '', 5, null, `${'9'.repeat(40)}s`])
    t.strictSame(provider(429, body(strange)).retry, {}, String(strange));
  const { error } = clientError(provider(429, body('7s')), 429);
  t.match(error, { code: 'provider_rate_limited', shownCode: 'RESOURCE_EXHAUSTED', headers: { 'retry-after': '7' } });
});

t.test("Anthropic's types by status", async (t) => {
  const type = (code: ErrorCode, status?: number) => {
    const error = new GatewayError(code, 'm', status === undefined ? {} : { status });
    return JSON.parse(renderError(error, 'anthropic').body.toString()).error.type;
  };
  t.equal(type('invalid_api_key'), 'authentication_error');
  t.equal(type('model_not_allowed'), 'permission_error');
  t.equal(type('model_not_found'), 'not_found_error');
  t.equal(type('request_too_large'), 'request_too_large');
  t.equal(type('unsupported_media_type'), 'invalid_request_error');
  t.equal(type('insufficient_quota'), 'rate_limit_error');
  t.equal(type('provider_error'), 'api_error');
  t.equal(type('upstream_unavailable'), 'overloaded_error');
  t.equal(type('upstream_timeout'), 'timeout_error');
  t.equal(type('provider_error', 422), 'invalid_request_error');
  t.equal(type('provider_error', 529), 'overloaded_error');
});

t.test('recorded errors', { skip: NO_RECORDINGS }, async (t) => {
  for (const recording of allRecordings().filter((each) => each.status >= 400)) {
    const error = readProviderError(recording.status, {}, recording.bytes);
    t.ok(error.message, recording.id);
    t.equal(clientError(error, recording.status).error.status, recording.status, recording.id);
    if (recording.provider === 'anthropic') t.equal(error.shape, 'anthropic', recording.id);
    if (recording.endpoint.startsWith('gemini.')) t.equal(error.shape, 'google', recording.id);
  }
});

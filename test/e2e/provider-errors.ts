import type { Script } from './scripted.js';

/** One error answer of a provider, and what every client of the gateway must make of it. */
export interface ErrorCase {
  readonly name: string;
  /** The account, which is also its kind's model here. */
  readonly provider: string;
  readonly script: Script;
  /** What the client gets. */
  readonly status: number;
  readonly code: 'provider_error' | 'provider_auth' | 'provider_rate_limited';
  /** Part of the message for the client. */
  readonly message: RegExp;
  /** What clients of OpenAI's dialect read as `code`; absent = not looked at. */
  readonly shownCode?: string | null;
  readonly retryAfter?: string;
  /** The client that speaks the provider's dialect gets the body as it is. */
  readonly native?: 'openai' | 'anthropic' | 'google';
}

const JSON_TYPE = { 'content-type': 'application/json' };

function says(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Script {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return { status, headers: { ...JSON_TYPE, ...headers }, chunks: [text] };
}

const OPENAI_400 = {
  message: "Invalid value: 'foo'.",
  type: 'invalid_request_error',
  param: 'tools',
  code: 'bad_tool',
};
const FILTERED = {
  message: 'The prompt was filtered.',
  type: null,
  param: 'prompt',
  code: 'content_filter',
  status: 400,
};
const GOOGLE_KEY = {
  code: 400,
  message: 'API key not valid. Please pass a valid API key.',
  status: 'INVALID_ARGUMENT',
  details: [
    { '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'API_KEY_INVALID', domain: 'googleapis.com' },
  ],
};
const GOOGLE_429 = {
  code: 429,
  message: 'You exceeded your current quota.',
  status: 'RESOURCE_EXHAUSTED',
  details: [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '36.4s' }],
};
const anthropicSays = (type: string, message: string): object => ({
  type: 'error',
  error: { type, message },
  request_id: 'req_of_anthropic',
});
const ANTHROPIC_ID = { 'request-id': 'req_of_anthropic' };
const aws = (type: string): Readonly<Record<string, string>> => ({
  'x-amzn-errortype': `${type}:http://internal.amazon.com/coral/com.amazon.bedrock/`,
  'x-amzn-requestid': 'amzn-1',
});
const HTML = '<html><head><title>Bad Gateway</title></head><body>nginx</body></html>';

const AUTH = { status: 502, code: 'provider_auth', message: /refused the gateway.s credential/ } as const;
const FAILED = { status: 502, code: 'provider_error', message: /provider failed/ } as const;
const own = (status: number, message: RegExp) => ({ status, code: 'provider_error', message }) as const;
const limited = (message: RegExp, retryAfter?: string) =>
  ({ status: 429, code: 'provider_rate_limited', message, ...(retryAfter && { retryAfter }) }) as const;

/** Bodies as the providers send them. Source: providers.md, table 1a, and recordings. */
export const ERROR_CASES: readonly ErrorCase[] = [
  {
    name: 'OpenAI 400',
    provider: 'openai',
    script: says(400, { error: OPENAI_400 }, { 'x-request-id': 'req_of_openai' }),
    ...own(400, /Invalid value: 'foo'/),
    shownCode: 'bad_tool',
    native: 'openai',
  },
  {
    name: 'OpenAI 401',
    provider: 'openai',
    script: says(401, { error: { message: 'Incorrect API key provided: sk-pr***', code: 'invalid_api_key' } }),
    ...AUTH,
  },
  {
    name: 'OpenAI 404',
    provider: 'openai',
    script: says(404, {
      error: { message: 'The model does not exist', type: 'x', param: null, code: 'model_not_found' },
    }),
    ...own(404, /does not exist/),
    native: 'openai',
  },
  {
    name: 'OpenAI 429',
    provider: 'openai',
    script: says(
      429,
      { error: { message: 'Rate limit reached', type: 'requests', param: null, code: 'rate_limit_exceeded' } },
      { 'retry-after': '20' },
    ),
    ...limited(/Rate limit reached/, '20'),
    shownCode: 'rate_limit_exceeded',
    native: 'openai',
  },
  {
    name: 'OpenAI 500',
    provider: 'openai',
    script: says(500, { error: { message: 'secret stack trace', type: 'server_error', param: null, code: null } }),
    ...FAILED,
  },
  {
    name: 'Azure 404',
    provider: 'azure',
    script: says(404, { error: { code: 'DeploymentNotFound', message: 'The API deployment does not exist.' } }),
    ...own(404, /deployment does not exist/),
    shownCode: 'DeploymentNotFound',
    native: 'openai',
  },
  {
    name: 'Azure 401',
    provider: 'azure',
    script: says(401, { error: { code: '401', message: 'Access denied due to invalid subscription key.' } }),
    ...AUTH,
  },
  {
    name: 'Azure 429',
    provider: 'azure',
    script: says(
      429,
      { error: { code: 'RateLimitReached', message: 'Requests have exceeded call rate limit.' } },
      { 'retry-after': '26', 'retry-after-ms': '26000' },
    ),
    ...limited(/call rate limit/, '26'),
    shownCode: 'RateLimitReached',
    native: 'openai',
  },
  {
    name: 'Azure content filter',
    provider: 'azure',
    script: says(400, { error: { ...FILTERED, innererror: { code: 'ResponsibleAIPolicyViolation' } } }),
    ...own(400, /was filtered/),
    shownCode: 'content_filter',
    native: 'openai',
  },
  {
    name: 'Anthropic 400',
    provider: 'anthropic',
    script: says(400, anthropicSays('invalid_request_error', 'max_tokens: too large'), {
      ...ANTHROPIC_ID,
      'x-should-retry': 'false',
    }),
    ...own(400, /max_tokens: too large/),
    native: 'anthropic',
  },
  {
    name: 'Anthropic 401',
    provider: 'anthropic',
    script: says(401, anthropicSays('authentication_error', 'invalid x-api-key'), ANTHROPIC_ID),
    ...AUTH,
  },
  {
    name: 'Anthropic without money',
    provider: 'anthropic',
    script: says(400, anthropicSays('invalid_request_error', 'Your credit balance is too low to access the API.')),
    ...AUTH,
  },
  {
    name: 'Anthropic 413',
    provider: 'anthropic',
    script: says(413, anthropicSays('request_too_large', 'Request exceeds the maximum size'), ANTHROPIC_ID),
    ...own(413, /exceeds the maximum size/),
    native: 'anthropic',
  },
  {
    name: 'Anthropic 429',
    provider: 'anthropic',
    script: says(429, anthropicSays('rate_limit_error', 'This would exceed your limit'), {
      ...ANTHROPIC_ID,
      'retry-after': '12',
    }),
    ...limited(/exceed your limit/, '12'),
    native: 'anthropic',
  },
  {
    name: 'Anthropic 529',
    provider: 'anthropic',
    script: says(529, anthropicSays('overloaded_error', 'Overloaded'), ANTHROPIC_ID),
    ...FAILED,
  },
  {
    name: 'Gemini 400',
    provider: 'gemini',
    script: says(400, { error: { code: 400, message: 'Unknown name "foo".', status: 'INVALID_ARGUMENT' } }),
    ...own(400, /Unknown name/),
    shownCode: 'INVALID_ARGUMENT',
    native: 'google',
  },
  { name: 'Gemini API_KEY_INVALID', provider: 'gemini', script: says(400, { error: GOOGLE_KEY }), ...AUTH },
  {
    name: 'Gemini 429',
    provider: 'gemini',
    script: says(429, { error: GOOGLE_429 }),
    ...limited(/exceeded your current quota/, '37'),
    native: 'google',
  },
  {
    name: 'Gemini 404, in a list',
    provider: 'shim',
    script: says(404, [{ error: { code: 404, message: 'models/x is not found.', status: 'NOT_FOUND' } }]),
    ...own(404, /is not found/),
  },
  {
    name: 'Vertex 403',
    provider: 'vertex',
    script: says(403, { error: { code: 403, message: 'Permission denied on project.', status: 'PERMISSION_DENIED' } }),
    ...AUTH,
  },
  {
    name: 'Vertex 400',
    provider: 'vertex',
    script: says(400, { error: { code: 400, message: 'Invalid role.', status: 'INVALID_ARGUMENT' } }),
    ...own(400, /Invalid role/),
    native: 'google',
  },
  {
    name: 'Bedrock UnrecognizedClientException',
    provider: 'bedrock',
    script: says(403, { message: 'The security token is invalid.' }, aws('UnrecognizedClientException')),
    ...AUTH,
  },
  {
    name: 'Bedrock ExpiredTokenException, as a 400',
    provider: 'bedrock',
    script: says(400, { message: 'The token is old.' }, aws('ExpiredTokenException')),
    ...AUTH,
  },
  {
    name: 'Bedrock ThrottlingException',
    provider: 'bedrock',
    script: says(429, { message: 'Too many requests, please wait.' }, aws('ThrottlingException')),
    ...limited(/please wait/),
    shownCode: 'ThrottlingException',
  },
  {
    name: 'Bedrock ValidationException',
    provider: 'bedrock',
    script: says(400, { message: 'messages: text is blank' }, aws('ValidationException')),
    ...own(400, /text is blank/),
    shownCode: 'ValidationException',
  },
  {
    name: 'Mistral 400',
    provider: 'mistral',
    script: says(400, {
      object: 'error',
      message: 'Tool call id has to be defined',
      type: 'invalid_request_message_order',
      param: null,
      code: '3280',
      raw_status_code: 400,
    }),
    ...own(400, /Tool call id/),
    shownCode: '3280',
  },
  { name: 'Mistral 401', provider: 'mistral', script: says(401, { detail: 'Unauthorized' }), ...AUTH },
  {
    name: 'xAI 400',
    provider: 'xai',
    script: says(400, { code: 'invalid-argument', error: 'Argument not supported: foo' }),
    ...own(400, /Argument not supported/),
    shownCode: 'invalid-argument',
  },
  {
    name: 'Cohere 400',
    provider: 'cohere',
    script: says(400, { id: 'c-1', message: 'invalid request: bad role' }),
    ...own(400, /bad role/),
  },
  {
    name: 'DeepSeek 400, as bytes',
    provider: 'deepseek',
    script: says(
      400,
      { error: { message: 'unknown variant `image_url`', type: 'invalid_request_error', param: null, code: 'x' } },
      { 'content-type': 'application/octet-stream' },
    ),
    ...own(400, /unknown variant/),
  },
  {
    name: 'FastAPI 422',
    provider: 'shim',
    script: says(422, { detail: [{ loc: ['body', 'model'], msg: 'Field required', type: 'missing' }] }),
    ...own(422, /body\.model: Field required/),
  },
  {
    name: 'vLLM 400',
    provider: 'shim',
    script: says(400, { object: 'error', message: 'extra_forbidden', type: 'BadRequestError', param: null, code: 400 }),
    ...own(400, /extra_forbidden/),
    shownCode: '400',
  },
  {
    name: 'OpenRouter 429',
    provider: 'shim',
    script: says(429, { error: { code: 429, message: 'Provider returned error', metadata: {} }, user_id: 'u' }),
    ...limited(/Provider returned error/),
  },
  { name: 'HTML 502', provider: 'shim', script: says(502, HTML, { 'content-type': 'text/html' }), ...FAILED },
  { name: 'HTML 403', provider: 'shim', script: says(403, HTML, { 'content-type': 'text/html' }), ...AUTH },
  { name: 'HTML 404', provider: 'shim', script: says(404, HTML, { 'content-type': 'text/html' }), ...FAILED },
];

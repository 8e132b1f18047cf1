/** Every provider's errors as every client reads them: by the official clients' own classes. */
import Anthropic from '@anthropic-ai/sdk';
import { GoogleGenAI } from '@google/genai';
import OpenAI from 'openai';
import t from 'tap';
import { ask, at, CLIENTS, type Client } from './dialect-clients.js';
import { type Gateway, startGateway } from './harness.js';
import { ERROR_CASES, type ErrorCase } from './provider-errors.js';
import { type Scripted, startScripted } from './scripted.js';

let gateway: Gateway;
let provider: Scripted;

const KINDS = {
  openai: 'openai',
  azure: 'azure-openai',
  anthropic: 'anthropic',
  gemini: 'gemini',
  vertex: 'vertex',
  bedrock: 'bedrock',
  mistral: 'mistral',
  xai: 'xai',
  cohere: 'cohere',
  deepseek: 'deepseek',
  shim: 'openai-compatible',
} as const;

t.before(async () => {
  provider = await startScripted();
  t.teardown(() => provider.close());
  const { origin } = new URL(provider.baseUrl);
  const paths: Readonly<Record<string, string>> = { gemini: '/v1beta', vertex: '', bedrock: '', cohere: '/v2' };
  const places: Readonly<Record<string, object>> = {
    vertex: { project: 'acme', location: 'europe-west1' },
    bedrock: { region: 'eu-central-1' },
  };
  const accounts = Object.entries(KINDS).map(([name, kind]) => [
    name,
    {
      kind,
      base_url: origin + (paths[name] ?? '/v1'),
      credentials: `secret-of-${name}-0123456789`,
      ...places[name],
    },
  ]);
  // A 5xx alone would be tried again.
  const models = Object.keys(KINDS).map((name) => [
    `by-${name}`,
    { targets: [`${name}/model`], retry: { attempts: 1 } },
  ]);
  gateway = await startGateway(t, {
    config: { providers: Object.fromEntries(accounts), models: Object.fromEntries(models) },
  });
});

/** What an official client throws, in one form. */
interface Thrown {
  readonly name: string;
  readonly status: number | undefined;
  readonly message: string;
  readonly code: unknown;
  readonly requestId: string | null | undefined;
  readonly retryAfter: string | null | undefined;
}

const MESSAGES = [{ role: 'user' as const, content: 'hello' }];

function clients(url: string, apiKey: string): Readonly<Record<Client, (model: string) => Promise<unknown>>> {
  const openai = new OpenAI({ baseURL: `${url}/v1`, apiKey, maxRetries: 0 });
  const anthropic = new Anthropic({ baseURL: url, apiKey, maxRetries: 0 });
  const google = new GoogleGenAI({ apiKey, httpOptions: { baseUrl: url, retryOptions: { attempts: 1 } } });
  return {
    chat: (model) => openai.chat.completions.create({ model, messages: MESSAGES }),
    responses: (model) => openai.responses.create({ model, input: 'hello', store: false }),
    messages: (model) => anthropic.messages.create({ model, messages: MESSAGES, max_tokens: 10 }),
    gemini: (model) => google.models.generateContent({ model, contents: 'hello' }),
  };
}

async function thrownBy(call: Promise<unknown>): Promise<Thrown> {
  const error: unknown = await call.then(
    () => new Error('it answered'),
    (reason: unknown) => reason,
  );
  const headers = at(error, 'headers');
  return {
    name: String(at(error, 'constructor', 'name')),
    status: at(error, 'status') as number | undefined,
    message: String(at(error, 'message')),
    code: at(error, 'code'),
    requestId: headers instanceof Headers ? headers.get('x-request-id') : undefined,
    retryAfter: headers instanceof Headers ? headers.get('retry-after') : undefined,
  };
}

/** The class that the client's own documentation names for a status. */
const CLASSES: Readonly<Record<number, string>> = {
  400: 'BadRequestError',
  404: 'NotFoundError',
  413: 'APIError|ContentTooLargeError',
  422: 'UnprocessableEntityError',
  429: 'RateLimitError',
  502: 'InternalServerError',
};

async function check(client: Client, error: ErrorCase, call: (model: string) => Promise<unknown>): Promise<void> {
  provider.queue(error.script);
  const thrown = await thrownBy(call(`by-${error.provider}`));
  const title = `${error.name} for ${client}`;
  t.equal(thrown.status, error.status, `${title}: ${thrown.message}`);
  t.match(thrown.message, error.message, title);
  t.notMatch(thrown.message, /stack trace|nginx|sk-pr/, title);
  if (client === 'gemini') {
    t.equal(thrown.name, 'ApiError');
    const { error: body } = JSON.parse(thrown.message) as { error: object };
    t.match(body, { code: error.status, message: error.message, status: /^[A-Z_]+$/ }, title);
    return;
  }
  t.match(thrown.name, new RegExp(`^(?:${CLASSES[error.status]})$`), title);
  t.match(thrown.requestId, /^[0-9a-f-]{36}$/, title);
  t.equal(thrown.retryAfter ?? null, error.retryAfter ?? null, title);
  const record = await gateway.record(thrown.requestId ?? '');
  t.match(record, { status: error.status, code: error.code, cost_nano_usd: 0, usage_source: null }, title);
  if (client !== 'messages' && error.shownCode !== undefined) t.equal(thrown.code, error.shownCode, title);
}

t.test('every error of every provider, read by the official clients', async () => {
  const calls = clients(gateway.url, gateway.key);
  for (const error of ERROR_CASES) for (const client of CLIENTS) await check(client, error, calls[client]);
});

t.test('the provider’s own dialect: body and request id as they came', async (t) => {
  const spoken = { openai: 'chat', anthropic: 'messages', google: 'gemini' } as const;
  const natives = ERROR_CASES.filter(({ native }) => native !== undefined);
  t.ok(natives.length > 10);
  for (const error of natives) {
    for (const stream of [false, true]) {
      provider.queue(error.script);
      const client = spoken[error.native ?? 'openai'];
      const answer = await ask(gateway, client, `by-${error.provider}`, { stream });
      const title = `${error.name} ${stream ? 'for a stream' : 'whole'}`;
      t.equal(answer.status, error.status, title);
      t.equal(answer.text, error.script.chunks?.join(''), `${title}: to the byte`);
      for (const [name, value] of Object.entries(error.script.headers ?? {})) {
        // Ours is the one that records know.
        if (name === 'x-request-id') t.match(answer.headers[name], /^[0-9a-f-]{36}$/);
        else t.equal(answer.headers[name], value, `${title}: ${name}`);
      }
    }
  }
});

t.test('a stream that was asked for and refused is no stream', async (t) => {
  for (const error of ERROR_CASES.filter(({ name }) => /ValidationException|Gemini 429|HTML 502/.test(name))) {
    for (const client of CLIENTS) {
      provider.queue(error.script);
      const answer = await ask(gateway, client, `by-${error.provider}`, { stream: true });
      t.equal(answer.status, error.status, `${error.name} for ${client}`);
      t.match(answer.headers['content-type'], /^application\/json/);
      t.type(JSON.parse(answer.text), 'object');
    }
  }
});

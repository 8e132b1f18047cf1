import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Address } from '../config/snapshot.js';
import { type Answerer, errorAnswer, idOf, jsonAnswer, type MockAnswer, type MockRequest } from './answer.js';
import { chat } from './chat.js';
import { completions } from './completions.js';
import { deliver } from './delivery.js';
import { embeddings } from './embeddings.js';
import { isObject, type JsonObject, textOr } from './json.js';
import { listen, shut } from './listen.js';
import { images, moderations, speech, transcription } from './media.js';
import { type Behaviour, behaviourOf, MOCK_MODELS } from './models.js';
import { type Form, readForm } from './multipart.js';
import { readBody } from './read-body.js';
import { responses } from './responses.js';

export interface MockOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Only this bearer key is let in; null (default) lets everybody in. */
  readonly requireKey?: string | null;
  /** Epoch milliseconds, for `created`. */
  readonly now?: () => number;
}

export interface Mock {
  readonly address: Address;
  close(): Promise<void>;
}

const BODY_LIMIT = 128 * 1024 * 1024;

const ENDPOINTS: ReadonlyMap<string, Answerer> = new Map([
  ['/chat/completions', chat],
  ['/completions', completions],
  ['/responses', responses],
  ['/embeddings', embeddings],
  ['/moderations', moderations],
  ['/images/generations', images],
  ['/audio/speech', speech],
  ['/audio/transcriptions', transcription],
  ['/audio/translations', transcription],
]);

/**
 * Starts the built-in provider: OpenAI's API with models that behave as `MOCK_MODELS` says. It runs inside the service,
 * so no request can make it throw, and every long answer gives way to other work. Rejects when it cannot listen.
 */
export async function startMock(options: MockOptions): Promise<Mock> {
  const mock = new MockServer(options.requireKey ?? null, options.now ?? Date.now);
  const server = createServer((request, response) => mock.serve(request, response));
  const address = await listen(server, options);
  return { address, close: () => shut(server) };
}

class MockServer {
  readonly #requireKey: string | null;
  readonly #now: () => number;
  #flaky = 0;

  constructor(requireKey: string | null, now: () => number) {
    this.#requireKey = requireKey;
    this.#now = now;
  }

  serve(request: IncomingMessage, response: ServerResponse): void {
    response.on('error', () => response.destroy());
    void this.#answer(request, response).catch(() => response.destroy());
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readBody(request, BODY_LIMIT);
    if (body === null) {
      response.destroy();
      return;
    }
    const path = (request.url ?? '/').split('?')[0]?.replace(/^\/v1(?=\/)/, '') ?? '/';
    const key = request.headers.authorization?.replace(/^Bearer /i, '') ?? null;
    const { answer, behaviour } =
      this.#requireKey !== null && key !== this.#requireKey
        ? { answer: errorAnswer(WRONG_KEY), behaviour: SANE }
        : request.method === 'GET'
          ? { answer: this.#get(path), behaviour: SANE }
          : this.#post(path, request.headers['content-type'] ?? '', body);
    await deliver(response, answer, behaviour);
  }

  #get(path: string): MockAnswer {
    const created = 1_767_225_600;
    const object = (id: string): JsonObject => ({ id, object: 'model', created, owned_by: 'tollgate' });
    if (path === '/models') {
      const data = MOCK_MODELS.filter((model) => !model.name.includes('<')).map((model) => object(model.name));
      return jsonAnswer({ object: 'list', data });
    }
    const id = path.startsWith('/models/') ? decodeURIComponent(path.slice('/models/'.length)) : null;
    if (id === null) return errorAnswer(NO_SUCH_URL);
    return behaviourOf(id) === null ? errorAnswer(noModel(id)) : jsonAnswer(object(id));
  }

  #post(path: string, contentType: string, bytes: Buffer): { answer: MockAnswer; behaviour: Behaviour } {
    const endpoint = ENDPOINTS.get(path);
    if (endpoint === undefined) return { answer: errorAnswer(NO_SUCH_URL), behaviour: SANE };
    const form = readForm(contentType, bytes);
    const body = form?.fields ?? parsed(bytes);
    if (body === null) return { answer: errorAnswer(BAD_JSON), behaviour: SANE };
    const model = textOr(body['model']);
    if (model === '') return { answer: errorAnswer(MISSING_MODEL), behaviour: SANE };
    const behaviour = behaviourOf(model);
    if (behaviour === null) return { answer: errorAnswer(noModel(model)), behaviour: SANE };
    if (behaviour.error !== null) return { answer: statusAnswer(behaviour.error), behaviour };
    if (behaviour.flaky && this.#flaky++ % 2 === 1) return { answer: statusAnswer(500), behaviour };
    return { answer: endpoint(this.#request(bytes, { body, form, model, behaviour })), behaviour };
  }

  #request(
    bytes: Buffer,
    parts: { body: JsonObject; form: Form | null; model: string; behaviour: Behaviour },
  ): MockRequest {
    const { body, form, model, behaviour } = parts;
    const created = Math.floor(this.#now() / 1000);
    return { body, model, behaviour, id: idOf(bytes), created, file: form?.file ?? null };
  }
}

function parsed(bytes: Buffer): JsonObject | null {
  try {
    const value: unknown = JSON.parse(bytes.toString());
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

const SANE: Behaviour = behaviourOf('chat') as Behaviour;

const INVALID = 'invalid_request_error';
const NO_SUCH_URL = { status: 404, message: 'Unknown request URL.', type: INVALID, code: 'unknown_url' };
const BAD_JSON = { status: 400, message: 'The body of the request is not a JSON object.', type: INVALID, code: null };
const MISSING_MODEL = { status: 400, message: 'You must provide a model parameter.', type: INVALID, code: null };
const WRONG_KEY = { status: 401, message: 'Incorrect API key provided.', type: INVALID, code: 'invalid_api_key' };

function noModel(model: string): { status: number; message: string; type: string; code: string } {
  const message = `The model \`${model.slice(0, 100)}\` does not exist or you do not have access to it.`;
  return { status: 404, message, type: INVALID, code: 'model_not_found' };
}

/** What real providers say with each status: type, code, message. */
const STATUSES: Readonly<Record<number, readonly [string, string | null, string]>> = {
  400: [INVALID, 'invalid_value', 'Invalid value for a parameter.'],
  401: [INVALID, 'invalid_api_key', 'Incorrect API key provided.'],
  403: ['permission_error', 'permission_denied', 'You are not allowed to use this model.'],
  404: [INVALID, 'model_not_found', 'The model does not exist or you do not have access to it.'],
  429: ['requests', 'rate_limit_exceeded', 'Rate limit reached for requests. Please try again in 1s.'],
  500: ['server_error', null, 'The server had an error while processing your request.'],
  502: ['server_error', null, 'Bad gateway.'],
  503: ['server_error', null, 'The engine is currently overloaded, please try again later.'],
  529: ['overloaded_error', null, 'Overloaded.'],
};

function statusAnswer(status: number): MockAnswer {
  const [type, code, message] = STATUSES[status] ?? ['server_error', null, 'Error.'];
  return errorAnswer({ status, type, code, message }, status === 429 ? { 'retry-after': '1' } : {});
}

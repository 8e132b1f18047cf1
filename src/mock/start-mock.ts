import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Address } from '../config/snapshot.js';
import { idOf, jsonAnswer, type MockAnswer, type MockError } from './answer.js';
import { deliver } from './delivery.js';
import { BAD_JSON, MISSING_MODEL, NO_SUCH_URL, noModel, openaiError, statusError, WRONG_KEY } from './errors.js';
import { isObject, type JsonObject, textOr } from './json.js';
import { listen, shut } from './listen.js';
import { anthropicModels, googleModels, openaiModel, openaiModels } from './model-lists.js';
import { type Behaviour, behaviourOf } from './models.js';
import { readForm } from './multipart.js';
import { presentedKey } from './presented-key.js';
import { readBody } from './read-body.js';
import { errorsOf, type MockRoute, routeOf } from './routes.js';

export interface MockOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Only this key is let in, in whichever header its dialect has; null (default) lets everybody in. */
  readonly requireKey?: string | null;
  /** Epoch milliseconds, for `created`. */
  readonly now?: () => number;
}

export interface Mock {
  readonly address: Address;
  close(): Promise<void>;
}

const BODY_LIMIT = 128 * 1024 * 1024;

/**
 * Starts the built-in provider: the APIs of OpenAI, Anthropic, Gemini, Vertex AI, Bedrock and Cohere, with models that behave as
 * `MOCK_MODELS` says in all of them. It runs inside the service, so no request can make it throw, and every long answer gives
 * way to other work. Rejects when it cannot listen.
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
    const url = request.url ?? '/';
    if (this.#requireKey !== null && presentedKey(request.headers) !== this.#requireKey) {
      await deliver(response, errorsOf(url)(WRONG_KEY), SANE);
      return;
    }
    const { answer, behaviour } =
      request.method === 'GET' ? { answer: this.#get(request), behaviour: SANE } : this.#post(request, body);
    await deliver(response, answer, behaviour);
  }

  #get(request: IncomingMessage): MockAnswer {
    const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
    if (path === '/v1beta/models') return jsonAnswer(googleModels());
    const bare = path.replace(/^\/v1(?=\/)/, '');
    if (bare === '/models') {
      return jsonAnswer('anthropic-version' in request.headers ? anthropicModels() : openaiModels());
    }
    const id = bare.startsWith('/models/') ? decodeURIComponent(bare.slice('/models/'.length)) : null;
    if (id === null) return openaiError(NO_SUCH_URL);
    return behaviourOf(id) === null ? openaiError(noModel(id)) : jsonAnswer(openaiModel(id));
  }

  #post(request: IncomingMessage, bytes: Buffer): Answered {
    const url = request.url ?? '/';
    const route = routeOf(url);
    const refuse = (error: MockError, behaviour = SANE): Answered => ({ answer: errorsOf(url)(error), behaviour });
    if (route === null) return refuse(NO_SUCH_URL);
    const form = readForm(request.headers['content-type'] ?? '', bytes);
    const body = form?.fields ?? parsed(bytes);
    if (body === null) return refuse(BAD_JSON);
    const model = route.model ?? textOr(body['model']);
    if (model === '') return refuse(MISSING_MODEL);
    const behaviour = behaviourOf(model);
    if (behaviour === null) return refuse(noModel(model));
    if (behaviour.error !== null) return refuse(statusError(behaviour.error), behaviour);
    if (behaviour.flaky && this.#flaky++ % 2 === 1) return refuse(statusError(500), behaviour);
    return this.#ask(route, { request, bytes, body, model, behaviour, file: form?.file ?? null });
  }

  #ask(route: MockRoute, asked: Asked): Answered {
    const { request, bytes, body, model, behaviour, file } = asked;
    const header = (name: string): string => request.headers[name]?.toString() ?? '';
    const created = Math.floor(this.#now() / 1000);
    const answer = route.answer({ body, model, behaviour, id: idOf(bytes), created, file, header });
    return { answer, behaviour };
  }
}

interface Answered {
  readonly answer: MockAnswer;
  readonly behaviour: Behaviour;
}

interface Asked {
  readonly request: IncomingMessage;
  readonly bytes: Buffer;
  readonly body: JsonObject;
  readonly model: string;
  readonly behaviour: Behaviour;
  readonly file: { readonly name: string; readonly bytes: number } | null;
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

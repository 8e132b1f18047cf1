import { EventEmitter, once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import { type Capture, captureOf } from '../../src/mock/capture.js';
import { listen, shut } from '../../src/mock/listen.js';
import { readBody } from '../../src/mock/read-body.js';

/** What the provider does with one request. Everything is optional: `{}` is a 200 with an empty body. */
export interface Script {
  /** Before any header: close the connection, reset it, or say nothing until the client leaves. */
  readonly instead?: 'close' | 'reset' | 'hang';
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Written one by one, each in a turn of its own. */
  readonly chunks?: readonly (string | Buffer)[];
  /** Stop after that many chunks (0 = after the headers) until `release()`. */
  readonly hold?: number;
  /** How the body ends: as HTTP says, by reset, by FIN without the terminating chunk, or in a chunk that is none. */
  readonly end?: 'clean' | 'reset' | 'fin' | 'garbage';
}

export type Behave = Script | ((capture: Capture) => Script);

export interface Scripted {
  /** `http://127.0.0.1:port/v1`. */
  readonly baseUrl: string;
  /** All requests received whole, oldest first. */
  readonly captures: readonly Capture[];
  /** Requests whose headers arrived, whole or not. */
  readonly begun: number;
  /** Answers that the other side left before their end. */
  readonly left: number;
  /** Bytes of body written, by model. */
  sent(model: string): Buffer;
  /** What requests for this model get from now on. */
  on(model: string, behave: Behave): void;
  /** What the next requests get, whatever their model; used up first. */
  queue(...scripts: readonly Behave[]): void;
  /** Resolves when so many answers wait at their `hold`. */
  held(count: number): Promise<void>;
  /** Resolves when so many requests have been received whole. */
  received(count: number): Promise<void>;
  /** Resolves when the other side has left so many answers. */
  abandoned(count: number): Promise<void>;
  /** Lets every answer at its `hold` go on. */
  release(): void;
  close(): Promise<void>;
}

const BODY_LIMIT = 128 * 1024 * 1024;

/** A provider that does exactly what the test says. Without a script it answers `hello` in the form that was asked for. */
export async function startScripted(): Promise<Scripted> {
  const provider = new ScriptedProvider();
  await provider.start();
  return provider;
}

class ScriptedProvider implements Scripted {
  readonly captures: Capture[] = [];
  begun = 0;
  left = 0;
  baseUrl = '';
  #waiting = 0;
  readonly #models = new Map<string, Behave>();
  readonly #sent = new Map<string, Buffer[]>();
  readonly #queue: Behave[] = [];
  readonly #events = new EventEmitter().setMaxListeners(0);
  readonly #server = createServer((request, response) => {
    response.on('error', () => {});
    void this.#serve(request, response).catch(() => response.destroy());
  });

  async start(): Promise<void> {
    const { port } = await listen(this.#server, { host: '127.0.0.1', port: 0 });
    this.baseUrl = `http://127.0.0.1:${port}/v1`;
  }

  on(model: string, behave: Behave): void {
    this.#models.set(model, behave);
  }

  queue(...scripts: readonly Behave[]): void {
    this.#queue.push(...scripts);
  }

  sent(model: string): Buffer {
    return Buffer.concat(this.#sent.get(model) ?? []);
  }

  held = (count: number): Promise<void> => this.#reach(() => this.#waiting >= count);
  received = (count: number): Promise<void> => this.#reach(() => this.captures.length >= count);
  abandoned = (count: number): Promise<void> => this.#reach(() => this.left >= count);

  release(): void {
    this.#waiting = 0;
    this.#events.emit('release');
  }

  close(): Promise<void> {
    this.release();
    return shut(this.#server);
  }

  async #reach(reached: () => boolean): Promise<void> {
    while (!reached()) await once(this.#events, 'step');
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // The gateway asks for the list of models beside requests, whenever it likes: no part of any script.
    if (request.method === 'GET' && /\/models(?:\?|$)/.test(request.url ?? '')) {
      response.writeHead(404).end();
      return;
    }
    this.begun += 1;
    this.#events.emit('step');
    const body = await readBody(request, BODY_LIMIT);
    if (body === null) return;
    const capture = captureOf(request, body);
    this.captures.push(capture);
    response.once('close', () => {
      if (!response.writableFinished) this.left += 1;
      this.#events.emit('step');
    });
    const behave = this.#queue.shift() ?? this.#models.get(capture.model ?? '') ?? hello;
    const script = typeof behave === 'function' ? behave(capture) : behave;
    this.#events.emit('step');
    await this.#play(script, response, capture);
  }

  async #play(script: Script, response: ServerResponse, capture: Capture): Promise<void> {
    if (script.instead === 'hang') return;
    if (script.instead === 'close') return void response.socket?.destroy();
    if (script.instead === 'reset') return void response.socket?.resetAndDestroy();
    response.writeHead(script.status ?? 200, { 'content-type': 'application/json', ...script.headers });
    const sent: Buffer[] = this.#sent.get(capture.model ?? '') ?? [];
    this.#sent.set(capture.model ?? '', sent);
    response.flushHeaders();
    const chunks = script.chunks ?? [];
    for (let at = 0; at <= chunks.length; at++) {
      if (at === script.hold) await this.#hold(response);
      const chunk = chunks[at];
      if (chunk === undefined || response.destroyed) continue;
      sent.push(Buffer.from(chunk));
      await new Promise((resolve) => response.write(chunk, () => setImmediate(resolve)));
    }
    if (script.end === 'reset') response.socket?.resetAndDestroy();
    else if (script.end === 'fin') response.socket?.end();
    else if (script.end === 'garbage') response.socket?.end('not a size\r\nnot a chunk\r\n');
    else response.end();
  }

  async #hold(response: ServerResponse): Promise<void> {
    this.#waiting += 1;
    const released = once(this.#events, 'release');
    const gone = new Promise((resolve) => response.once('close', resolve));
    this.#events.emit('step');
    await Promise.race([released, gone]);
  }
}

/** The answer of a provider that has no script for a model: one word, with usage. */
export function hello(capture: Capture): Script {
  const model = capture.model ?? 'unknown';
  if (/"stream"\s*:\s*true/.test(capture.body.toString('latin1'))) return streamScript(model, ['hello']);
  const choices = [{ index: 0, message: { role: 'assistant', content: 'hello' }, finish_reason: 'stop' }];
  const body = { id: 'chatcmpl-1', object: 'chat.completion', created: 1, model, choices, usage: usageOf(7, 1) };
  return { chunks: [JSON.stringify(body)] };
}

/** A chat stream: role, one chunk per word, finish, usage in a chunk of its own, `[DONE]`; one SSE event per chunk. */
export function streamScript(model: string, words: readonly string[]): Script & { readonly chunks: readonly string[] } {
  const event = (choices: unknown[], more = {}): string =>
    `data: ${JSON.stringify({ id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model, choices, ...more })}\n\n`;
  const delta = (content: object, finish: string | null = null): unknown[] => [
    { index: 0, delta: content, finish_reason: finish },
  ];
  const chunks = [
    event(delta({ role: 'assistant', content: '' })),
    ...words.map((word) => event(delta({ content: word }))),
    event(delta({}, 'stop')),
    event([], { usage: usageOf(7, words.length) }),
    'data: [DONE]\n\n',
  ];
  return { headers: { 'content-type': 'text/event-stream' }, chunks };
}

function usageOf(input: number, output: number): object {
  return { prompt_tokens: input, completion_tokens: output, total_tokens: input + output };
}

/** A `base_url` where nobody listens: connections are refused. */
export async function refusingUrl(): Promise<string> {
  const server = createTcpServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no TCP address');
  return `http://127.0.0.1:${address.port}/v1`;
}

import { once } from 'node:events';
import {
  Agent,
  type ClientRequest,
  request as httpRequest,
  type IncomingMessage,
  type OutgoingHttpHeaders,
} from 'node:http';
import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2';

/** A request with control over its bytes. */
export interface Sent {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** Text or bytes to send at once, or pieces that are written one by one, each after the one before has left. */
  readonly body?: string | Buffer | AsyncIterable<Buffer> | Iterable<Buffer>;
  readonly signal?: AbortSignal;
  readonly agent?: Agent;
}

/** An answer with its parts as they came. */
export interface Received {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
  readonly text: string;
  /** The reads that the body came in. */
  readonly chunks: readonly Buffer[];
  /** The body ended as HTTP says; false when it was cut. */
  readonly complete: boolean;
}

/** Sends a request over HTTP/1.1 and reads the whole answer. Rejects only when there is no answer at all. */
export async function exchange(url: URL | string, sent: Sent): Promise<Received> {
  const open = await opened(url, sent);
  return open.finished();
}

/** An answer whose headers are here and whose body is on its way. */
export interface Open {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly request: ClientRequest;
  /** Resolves once the body holds the text, or rejects when it ended without. */
  until(text: string): Promise<void>;
  finished(): Promise<Received>;
  /** Leaves: closes the connection under the answer. */
  abort(): void;
}

/** Sends a request over HTTP/1.1 and resolves at the headers of its answer. */
export async function opened(url: URL | string, sent: Sent): Promise<Open> {
  const agent = sent.agent ?? new Agent({ keepAlive: false });
  const request = httpRequest(url, {
    method: sent.method ?? 'POST',
    headers: headersOf(sent) as OutgoingHttpHeaders,
    agent,
  });
  sent.signal?.addEventListener('abort', () => request.destroy(new Error('aborted by the test')), { once: true });
  const answered = once(request, 'response') as Promise<[IncomingMessage]>;
  // The upload may fail after the answer has come (413 while still sending): then the answer counts.
  request.on('error', () => {});
  void upload(request, sent.body).catch(() => {});
  const [response] = await answered;
  return new OpenAnswer(request, response);
}

function headersOf(sent: Sent): Record<string, string | readonly string[]> {
  const whole = typeof sent.body === 'string' || Buffer.isBuffer(sent.body);
  const length = whole ? { 'content-length': String(Buffer.byteLength(sent.body as string | Buffer)) } : {};
  const type = sent.body === undefined ? {} : { 'content-type': 'application/json' };
  return { ...type, ...length, ...sent.headers };
}

async function upload(request: ClientRequest, body: Sent['body']): Promise<void> {
  if (body === undefined || typeof body === 'string' || Buffer.isBuffer(body)) {
    request.end(body);
    return;
  }
  request.flushHeaders();
  for await (const piece of body) {
    if (request.destroyed) return;
    await new Promise<void>((resolve, reject) => request.write(piece, (error) => (error ? reject(error) : resolve())));
  }
  request.end();
}

class OpenAnswer implements Open {
  readonly request: ClientRequest;
  readonly #response: IncomingMessage;
  readonly #chunks: Buffer[] = [];
  readonly #ended: Promise<void>;
  #closed = false;

  constructor(request: ClientRequest, response: IncomingMessage) {
    this.request = request;
    this.#response = response;
    response.on('data', (chunk: Buffer) => this.#chunks.push(chunk));
    response.on('error', () => {});
    this.#ended = new Promise((resolve) => response.once('close', () => resolve()));
    void this.#ended.then(() => {
      this.#closed = true;
    });
  }

  get status(): number {
    return this.#response.statusCode ?? 0;
  }

  get headers(): Readonly<Record<string, string>> {
    return flat(this.#response.headers);
  }

  async until(text: string): Promise<void> {
    while (!Buffer.concat(this.#chunks).includes(text)) {
      if (this.#closed) throw new Error(`the answer ended without ${JSON.stringify(text)}`);
      await Promise.race([once(this.#response, 'data'), this.#ended]);
    }
  }

  async finished(): Promise<Received> {
    await this.#ended;
    const body = Buffer.concat(this.#chunks);
    return {
      status: this.status,
      headers: this.headers,
      rawHeaders: this.#response.rawHeaders,
      body,
      text: body.toString(),
      chunks: this.#chunks,
      complete: this.#response.complete,
    };
  }

  abort(): void {
    this.request.destroy();
  }
}

function flat(headers: NodeJS.Dict<string | string[] | number>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : String(value)]),
  );
}

/** What an HTTP/2 stream came to: `reset` is the error code of RST_STREAM, null when it ended well. */
export interface ReceivedHttp2 {
  readonly status: number | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly reset: string | null;
}

/** One request over HTTP/2 without TLS, on a connection of its own. Never rejects for what the other side does. */
export async function exchangeHttp2(url: URL, sent: Sent): Promise<ReceivedHttp2> {
  const session = connectHttp2(url.origin);
  session.on('error', () => {});
  try {
    return await onStream(session, url, sent);
  } finally {
    session.destroy();
  }
}

async function onStream(session: ClientHttp2Session, url: URL, sent: Sent): Promise<ReceivedHttp2> {
  const headers = { ':method': sent.method ?? 'POST', ':path': url.pathname + url.search, ...headersOf(sent) };
  const stream = session.request(headers as Record<string, string>);
  const chunks: Buffer[] = [];
  let received: Record<string, string> = {};
  let reset: string | null = null;
  stream.on('response', (each) => {
    received = flat(each);
  });
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  stream.on('error', (error: NodeJS.ErrnoException) => {
    reset = error.message;
  });
  const closed = new Promise<void>((resolve) => {
    stream.once('close', () => resolve());
    session.once('close', () => resolve());
    // A 413 may come while the upload is still stuck on flow control: the whole answer is the end of the exchange.
    stream.once('end', () => setImmediate(resolve));
  });
  if (sent.body === undefined || typeof sent.body === 'string' || Buffer.isBuffer(sent.body)) stream.end(sent.body);
  else for await (const piece of sent.body) stream.write(piece);
  await closed;
  const status = received[':status'] === undefined ? null : Number(received[':status']);
  return { status, headers: received, body: Buffer.concat(chunks), reset };
}

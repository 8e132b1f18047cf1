import {
  constants,
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import { STATUS } from '../grpc-status.js';
import { answerHealth } from './health.js';
import { follow, HEADERS, Http2Call, statusHeaders, TRAILERS_ONLY } from './http2-call.js';
import { SERVER_OPTIONS, widenSession } from './http2-limits.js';
import { listenAt } from './listen-at.js';
import { CHECK, NOT_SERVING, PROCESS, SERVING, type Transport, type TransportOptions } from './transport.js';

/** From the forced end of the streams to that of their connections. */
const LAST_WORDS_MS = 200;

/** gRPC by ourselves on Node's HTTP/2: no object streams, no copies, one write for the answers of one turn. */
export async function startHttp2(options: TransportOptions): Promise<Transport> {
  const server = createServer(SERVER_OPTIONS);
  const transport = new Http2Transport(server, options);
  await listenAt(server, options.address);
  return transport;
}

class Http2Transport implements Transport {
  readonly #options: TransportOptions;
  readonly #server: Http2Server;
  readonly #sessions = new Set<ServerHttp2Session>();
  readonly #calls = new Set<Http2Call>();
  #serving = true;

  constructor(server: Http2Server, options: TransportOptions) {
    this.#options = options;
    this.#server = server;
    this.#server.on('session', (session) => this.#session(session));
    this.#server.on('sessionError', (error) => this.#lost(error));
    this.#server.on('stream', (stream, headers) => this.#opened(stream, headers));
  }

  streams(): number {
    return this.#calls.size;
  }

  stop(graceMs: number): Promise<void> {
    this.#serving = false;
    return new Promise((resolve) => {
      const force = setTimeout(() => this.#force(), graceMs);
      this.#server.close(() => {
        clearTimeout(force);
        resolve();
      });
      // GOAWAY: running streams finish, new ones go to another generation.
      for (const session of this.#sessions) session.close();
    });
  }

  #force(): void {
    for (const { call } of [...this.#calls]) call.fail(STATUS.UNAVAILABLE, 'the service is stopping');
    setTimeout(() => {
      for (const session of [...this.#sessions]) session.destroy();
    }, LAST_WORDS_MS);
  }

  #session(session: ServerHttp2Session): void {
    widenSession(session);
    this.#sessions.add(session);
    session.once('close', () => this.#sessions.delete(session));
  }

  /** The connection's streams are closed one by one. A peer that vanished is no fault of ours. */
  #lost(error: unknown): void {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ECONNRESET' && code !== 'EPIPE') this.#options.fault('connection', error);
  }

  #opened(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    try {
      const path = headers[':path'];
      if (path === PROCESS && isGrpc(headers)) this.#process(stream, headers);
      else if (path === CHECK && isGrpc(headers)) answerHealth(stream, () => (this.#serving ? SERVING : NOT_SERVING));
      else refuse(stream, headers);
    } catch (error) {
      this.#options.fault('opening a stream', error);
      stream.on('error', () => undefined);
      stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    }
  }

  #process(stream: ServerHttp2Stream, { role, routes }: IncomingHttpHeaders): void {
    const call = new Http2Call(stream, this.#options);
    this.#calls.add(call);
    stream.once('close', () => this.#calls.delete(call));
    call.call.run(this.#options.open(textOf(role), call.call, textOf(routes)));
    follow(stream, call);
  }
}

function textOf(value: string | string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function isGrpc(headers: IncomingHttpHeaders): boolean {
  return headers[':method'] === 'POST' && (headers['content-type']?.startsWith('application/grpc') ?? false);
}

function refuse(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
  stream.on('error', () => undefined);
  stream.resume();
  if (isGrpc(headers))
    stream.respond({ ...HEADERS, ...statusHeaders(STATUS.UNIMPLEMENTED, 'no such method') }, TRAILERS_ONLY);
  else stream.respond({ ':status': 415 }, TRAILERS_ONLY);
}

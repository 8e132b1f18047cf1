import { createServer, type Server, type Socket } from 'node:net';
import { LiveMap } from '../../store/live-map.js';
import { STATUS } from '../grpc-status.js';
import type { RequestHead } from './h2/header-field.js';
import { Session } from './h2/session.js';
import type { Stream, StreamUser } from './h2/stream.js';
import { ANSWER_HEADERS, endBlock, GOOD_END, UNSUPPORTED_TYPE } from './header-blocks.js';
import { listenAt } from './listen-at.js';
import { NetCall, type NetCallOptions } from './net-call.js';
import { readInto, readingMemory } from './read-into.js';
import { CHECK, NOT_SERVING, PROCESS, SERVING, type Transport, type TransportOptions } from './transport.js';

/** From the forced end of the streams to that of their connections. */
const LAST_WORDS_MS = 200;

/** gRPC and HTTP/2 by ourselves on sockets: what the peer sends in one write is answered in one. */
export async function startNet(options: TransportOptions): Promise<Transport> {
  const server = createServer({ noDelay: true });
  const transport = new NetTransport(server, options);
  await listenAt(server, options.address);
  return transport;
}

class NetTransport implements Transport {
  readonly #options: TransportOptions;
  readonly #server: Server;
  readonly #sessions = new Map<Socket, Session>();
  readonly #calls = LiveMap.byNumber<NetCall>();
  readonly #callOptions: NetCallOptions;
  /** Of all sockets. */
  readonly #memory = readingMemory();
  #serving = true;

  constructor(server: Server, options: TransportOptions) {
    this.#options = options;
    this.#server = server;
    this.#callOptions = {
      maxMessageBytes: options.maxMessageBytes,
      fault: options.fault,
      closed: (call) => this.#calls.delete(call.number),
    };
    server.on('connection', (socket) => this.#connection(socket));
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
      for (const session of this.#sessions.values()) session.leave();
    });
  }

  #force(): void {
    for (const { call } of this.#calls.values()) call.fail(STATUS.UNAVAILABLE, 'the service is stopping');
    setTimeout(() => {
      for (const socket of this.#sessions.keys()) socket.destroy();
    }, LAST_WORDS_MS);
  }

  #connection(accepted: Socket): void {
    // Nothing is read before this turn is over.
    const socket = readInto(accepted, this.#memory, (chunk) => session.push(chunk));
    const session = new Session(socket, {
      open: (head, stream) => this.#open(head, stream),
      fault: this.#options.fault,
    });
    this.#sessions.set(socket, session);
    socket.on('error', (error) => this.#lost(error));
    // Who has said everything listens no more either.
    socket.once('end', () => session.closed());
    socket.once('close', () => {
      this.#sessions.delete(socket);
      session.closed();
    });
  }

  /** 'close' follows. A peer that vanished is no fault of ours. */
  #lost(error: NodeJS.ErrnoException): void {
    if (error.code !== 'ECONNRESET' && error.code !== 'EPIPE') this.#options.fault('connection', error);
  }

  #open(head: RequestHead, stream: Stream): StreamUser {
    const grpc = head.method === 'POST' && head.contentType.startsWith('application/grpc');
    if (grpc && head.path === PROCESS) return this.#process(stream, head);
    if (grpc && head.path === CHECK) return new HealthCheck(stream, () => (this.#serving ? SERVING : NOT_SERVING));
    if (grpc) stream.end(Buffer.concat([ANSWER_HEADERS, endBlock(STATUS.UNIMPLEMENTED, 'no such method')]));
    else stream.end(UNSUPPORTED_TYPE);
    return NOBODY;
  }

  #process(stream: Stream, { role, routes }: RequestHead): NetCall {
    const call = new NetCall(stream, this.#callOptions);
    call.call.run(this.#options.open(role ?? undefined, call.call, routes ?? undefined));
    this.#calls.set(call.number, call);
    return call;
  }
}

const NOBODY: StreamUser = { data() {}, halfClosed() {}, closed() {} };

/** Answers once the question is whole; what it asks about makes no difference. */
class HealthCheck implements StreamUser {
  readonly #stream: Stream;
  readonly #status: () => number;

  constructor(stream: Stream, status: () => number) {
    this.#stream = stream;
    this.#status = status;
  }

  data(): void {}

  halfClosed(): void {
    this.#stream.headers(ANSWER_HEADERS);
    // Field 1, a varint, in its frame.
    this.#stream.send(Buffer.from([0, 0, 0, 0, 2, 0x08, this.#status()]));
    this.#stream.end(GOOD_END);
  }

  closed(): void {}
}

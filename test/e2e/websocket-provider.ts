import { createHash } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { Duplex } from 'node:stream';
import { listen, shut } from '../../src/mock/listen.js';

/** Fixed by RFC 6455, section 1.3. */
const ACCEPT_SUFFIX = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

export interface Handshake {
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
}

/** One session at the provider: JSON events both ways. */
export class ProviderSession {
  readonly received: Readonly<Record<string, unknown>>[] = [];
  readonly #socket: Duplex;
  readonly #events = new EventEmitter().setMaxListeners(0);
  #bytes: Buffer = Buffer.alloc(0);
  closed = false;

  constructor(socket: Duplex) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.closed = true;
      this.#events.emit('step');
    });
  }

  send(...events: readonly object[]): void {
    this.#socket.write(Buffer.concat(events.map((event) => frame(0x81, Buffer.from(JSON.stringify(event))))));
  }

  /** One event in three frames, with a ping between them, byte by byte. */
  async sendInPieces(event: object): Promise<void> {
    const text = Buffer.from(JSON.stringify(event));
    const [first, second, third] = [text.subarray(0, 5), text.subarray(5, 30), text.subarray(30)];
    const frames = [frame(0x01, first), frame(0x89, Buffer.from('hi')), frame(0x00, second), frame(0x80, third)];
    for (const byte of Buffer.concat(frames)) {
      await new Promise((resolve) => this.#socket.write(Buffer.of(byte), () => setImmediate(resolve)));
    }
  }

  /** Resolves when so many events have come from the client. */
  async got(count: number): Promise<void> {
    while (this.received.length < count) await once(this.#events, 'step');
  }

  async ended(): Promise<void> {
    while (!this.closed) await once(this.#events, 'step');
  }

  reset(): void {
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    for (let taken = this.#frame(); taken > 0; taken = this.#frame()) this.#bytes = this.#bytes.subarray(taken);
    this.#events.emit('step');
  }

  /** Reads one frame of the client, which is masked; returns its length, 0 when it is not whole yet. */
  #frame(): number {
    const bytes = this.#bytes;
    if (bytes.length < 6) return 0;
    const short = bytes.readUInt8(1) & 0x7f;
    const start = short === 126 ? 4 : 2;
    const length = short === 126 ? bytes.readUInt16BE(2) : short;
    const end = start + 4 + length;
    if (bytes.length < end) return 0;
    const mask = bytes.subarray(start, start + 4);
    const payload = Buffer.from(bytes.subarray(start + 4, end).map((byte, at) => byte ^ (mask[at % 4] ?? 0)));
    const opcode = bytes.readUInt8(0) & 0x0f;
    if (opcode === 1) this.received.push(JSON.parse(payload.toString()));
    if (opcode === 8) {
      this.#socket.write(frame(0x88, payload));
      this.#socket.end();
    }
    return end;
  }
}

function frame(first: number, payload: Buffer): Buffer {
  const long = payload.length > 125;
  const header = Buffer.from(long ? [first, 126, payload.length >> 8, payload.length & 0xff] : [first, payload.length]);
  return Buffer.concat([header, payload]);
}

export interface WebSocketProvider {
  /** `http://127.0.0.1:port/openai/v1` */
  readonly baseUrl: string;
  readonly handshakes: readonly Handshake[];
  readonly sessions: readonly ProviderSession[];
  /** Status of the answer in place of the next handshake. */
  refuseNext(status: number): void;
  /** Resolves when so many sessions have been opened. */
  opened(count: number): Promise<void>;
  close(): Promise<void>;
}

/** A provider of realtime sessions on the loopback; the test says what it sends. */
export async function startWebSocketProvider(): Promise<WebSocketProvider> {
  const handshakes: Handshake[] = [];
  const sessions: ProviderSession[] = [];
  const events = new EventEmitter().setMaxListeners(0);
  let refusal = 0;
  const server = createServer((_request, response) => response.writeHead(404).end());
  server.on('upgrade', (request, socket) => {
    handshakes.push({ url: request.url ?? '', headers: request.headers });
    if (refusal > 0) {
      const body = JSON.stringify({ error: { message: 'no such thing', type: 'invalid_request_error', code: 'x' } });
      const head = ['content-type: application/json', `content-length: ${body.length}`, 'connection: close'];
      socket.end(`HTTP/1.1 ${refusal} Refused\r\n${head.join('\r\n')}\r\n\r\n${body}`);
      refusal = 0;
      return;
    }
    const key = request.headers['sec-websocket-key'] ?? '';
    const lines = [
      'HTTP/1.1 101 Switching Protocols',
      'upgrade: websocket',
      'connection: Upgrade',
      `sec-websocket-accept: ${createHash('sha1')
        .update(key + ACCEPT_SUFFIX)
        .digest('base64')}`,
      'set-cookie: a=b',
      ...(request.headers['sec-websocket-protocol'] === undefined ? [] : ['sec-websocket-protocol: realtime']),
    ];
    socket.write(`${lines.join('\r\n')}\r\n\r\n`);
    sessions.push(new ProviderSession(socket));
    events.emit('step');
  });
  const { port } = await listen(server, { host: '127.0.0.1', port: 0 });
  return {
    baseUrl: `http://127.0.0.1:${port}/openai/v1`,
    handshakes,
    sessions,
    refuseNext: (status) => {
      refusal = status;
    },
    opened: async (count) => {
      while (sessions.length < count) await once(events, 'step');
    },
    close: () => {
      for (const session of sessions) session.reset();
      return shut(server);
    },
  };
}

import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createSecureServer } from 'node:http2';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';

export const CERTIFICATE = join(process.cwd(), 'test/envoy/localhost.crt');
const KEY = join(process.cwd(), 'test/envoy/localhost.key');

type Answer = (response: ServerResponse, request: IncomingMessage) => void;

const EVENT = 'data: {"token":1}\n\n';

function status(code: number, headers: Readonly<Record<string, string>> = {}): Answer {
  return (response) => {
    response.writeHead(code, { 'content-type': 'application/json', ...headers });
    response.end(`{"answered":${code}}`);
  };
}

function stream(then: Answer): Answer {
  return (response, request) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.flushHeaders();
    then(response, request);
  };
}

/** Behaviour of each provider; TLS, refusals and names that do not exist come on top. */
const ANSWERS: Readonly<Record<string, Answer>> = {
  s400: status(400),
  s401: status(401),
  s429: status(429, { 'retry-after': '30' }),
  // As a provider that is itself behind Envoy may say.
  limited: status(429, { 'x-envoy-ratelimited': 'true' }),
  s500: status(500),
  s503: status(503),
  s529: status(529),
  forged: status(200, { 'x-tollgate-retry': '1' }),
  good: stream((response) => response.end(EVENT.repeat(3))),
  reset: (_response, request) => void request.socket.resetAndDestroy(),
  fin: (_response, request) => void request.socket.end(),
  hang: () => undefined,
  late: stream(() => undefined),
  empty: stream((response) => response.end()),
  broken: stream((response) => response.end('event: error\ndata: {"error":{}}\n\n')),
  reset200: stream((_response, request) => void request.socket.resetAndDestroy()),
  cut: stream((response, request) => response.write(EVENT, () => void request.socket.resetAndDestroy())),
  endless: stream((response) => {
    const timer = setInterval(() => response.write(EVENT), 20);
    response.on('close', () => clearInterval(timer));
  }),
};

export interface FaultProviders {
  /** Name → base URL. */
  readonly urls: Readonly<Record<string, string>>;
  /** How many requests each has seen. */
  readonly requests: Map<string, number>;
  /** Header names and values that providers have received, in their order. */
  readonly headers: string[];
  /** Names of providers whose response was closed before its end. */
  readonly abandoned: string[];
  stop(): void;
}

/** Providers that misbehave in one way each, on loopback. */
export async function startFaultProviders(): Promise<FaultProviders> {
  const requests = new Map<string, number>();
  const abandoned: string[] = [];
  const headers: string[] = [];
  const servers: Server[] = [];
  const urls: Record<string, string> = { nowhere: 'http://name.invalid/v1' };
  for (const [name, answer] of Object.entries(ANSWERS)) {
    const server = createServer((request, response) => {
      requests.set(name, (requests.get(name) ?? 0) + 1);
      headers.push(...request.rawHeaders);
      response.on('close', () => response.writableFinished || abandoned.push(name));
      request.resume().on('end', () => answer(response, request));
    });
    servers.push(server);
    urls[name] = `http://127.0.0.1:${await listen(server)}/v1`;
  }
  const secure = createSecureServer({ key: readFileSync(KEY), cert: readFileSync(CERTIFICATE), allowHTTP1: true });
  servers.push(secure);
  urls['impostor'] = `https://127.0.0.2:${await listen(secure, '127.0.0.2')}/v1`;
  const closed = createTcpServer();
  urls['refused'] = `http://127.0.0.1:${await listen(closed)}/v1`;
  closed.close();
  const sockets = new Set<Socket>();
  for (const server of servers) server.on('connection', (socket: Socket) => sockets.add(socket));
  const stop = (): void => {
    for (const server of servers) server.close();
    for (const socket of sockets) socket.destroy();
  };
  return { urls, requests, headers, abandoned, stop };
}

async function listen(server: Server, host = '127.0.0.1'): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  return (server.address() as AddressInfo).port;
}

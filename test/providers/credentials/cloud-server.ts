import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

export interface Asked {
  readonly method: string;
  /** Path with query. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** The body as a form. */
  readonly form: Readonly<Record<string, string>>;
}

export interface Told {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** An object is sent as JSON. */
  readonly body?: string | object;
}

export interface CloudServer {
  readonly url: string;
  readonly host: string;
  readonly asked: Asked[];
}

/** A token or metadata server on a free port: `answer` judges what it gets; what it throws is a 500 with the message. */
export async function startCloud(
  t: { teardown(action: () => void): void },
  answer: (asked: Asked) => Told | Promise<Told>,
): Promise<CloudServer> {
  const all: Asked[] = [];
  const server = createServer((request, response) => {
    const reply = async () => {
      const body = await text(request);
      const { method = '', url = '', headers } = request;
      const asked = { method, url, headers, body, form: Object.fromEntries(new URLSearchParams(body)) };
      all.push(asked);
      const told = await answer(asked);
      response.writeHead(told.status ?? 200, told.headers);
      response.end(typeof told.body === 'object' ? JSON.stringify(told.body) : (told.body ?? ''));
    };
    reply().catch((error: Error) => response.writeHead(500).end(JSON.stringify({ message: error.message })));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url: `http://${host}`, host, asked: all };
}

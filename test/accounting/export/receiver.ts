import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

export interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** What the receiver does with one request. `lost` and `hang`: takes it, but its answer never arrives. */
export type Behaviour =
  | 'ok'
  | 'lost'
  | 'reset'
  | 'hang'
  | { readonly status: number; readonly body?: string; readonly headers?: Readonly<Record<string, string>> };

export interface Receiver {
  readonly url: string;
  readonly requests: Received[];
  /** Decides about each request; may be replaced at any time. */
  behave: (request: Received) => Behaviour;
  /** Resolves when `isDone` is true after some request; rejects after half a minute. */
  until(isDone: () => boolean): Promise<void>;
}

/** A real HTTP server of somebody else, with all that can go wrong there. `taken` is called with what it has accepted. */
export async function startReceiver(
  t: { teardown(done: () => unknown): void },
  taken: (request: Received) => void = () => undefined,
): Promise<Receiver> {
  const waiting = new Set<() => void>();
  const server = createServer(async (request, response) => {
    const received = { headers: request.headers, body: await text(request).catch(() => '') };
    receiver.requests.push(received);
    const behaviour = receiver.behave(received);
    if (behaviour === 'ok' || behaviour === 'lost' || behaviour === 'hang') taken(received);
    answer(response, behaviour);
    for (const check of waiting) check();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const receiver: Receiver = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/events`,
    requests: [],
    behave: () => 'ok',
    until: (isDone) => poll(isDone, waiting),
  };
  return receiver;
}

function answer(response: ServerResponse, behaviour: Behaviour): void {
  if (behaviour === 'hang') return;
  if (behaviour === 'lost' || behaviour === 'reset') response.destroy();
  else if (behaviour === 'ok') response.writeHead(204).end();
  else response.writeHead(behaviour.status, behaviour.headers ?? {}).end(behaviour.body ?? '');
}

/** After each request, and now and then for what follows it. */
function poll(isDone: () => boolean, waiting: Set<() => void>): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (finish: () => void): void => {
      clearInterval(timer);
      clearTimeout(late);
      waiting.delete(check);
      finish();
    };
    const check = (): void => {
      if (isDone()) end(resolve);
    };
    const timer = setInterval(check, 5);
    const late = setTimeout(() => end(() => reject(new Error('waited in vain'))), 30_000);
    waiting.add(check);
    check();
  });
}

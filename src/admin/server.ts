import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { RecordsUnavailableError } from '../accounting/records/record.js';
import type { Address } from '../config/snapshot.js';
import type { Secret } from '../observability/secret.js';
import { createLiveEvents, type LiveEvents } from './events.js';
import { isLoopback, refuseCrossSite, refuseOtherOrigin, requireLocalHost, requireToken } from './guard.js';
import type { AdminDependencies } from './ports.js';
import { Query } from './query.js';
import { readJsonBody } from './read-body.js';
import { AdminError, type Reply } from './reply.js';
import { matchRoute, type Route } from './route.js';
import { adminRoutes } from './routes.js';

export interface AdminOptions {
  /** Port 0 asks for a free one. */
  readonly address: Address;
  /** Null is only allowed on a loopback address. */
  readonly token: Secret | null;
  /** The program's version, for the OpenAPI document. */
  readonly version: string;
  readonly dependencies: AdminDependencies;
}

export interface RunningAdmin {
  /** The real address. */
  readonly address: Address;
  /** Ends live streams and idle connections; resolves when nothing listens any more. */
  close(): Promise<void>;
}

const SECURITY_HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

/**
 * Starts the admin API, the page and the probes on one listener. Rejects when the address is taken, or when it can be
 * reached from elsewhere and there is no token.
 */
export async function startAdmin(options: AdminOptions): Promise<RunningAdmin> {
  const { address, token } = options;
  if (token === null && !isLoopback(address.host)) {
    throw new Error(`admin.listen ${address.host} can be reached from other machines: set admin.token`);
  }
  const events = createLiveEvents();
  const routes = adminRoutes(events, options.version);
  const server = createServer({ requestTimeout: 30_000, headersTimeout: 10_000 }, (request, response) => {
    void serve({ ...options, routes }, request, response);
  });
  const port = await listen(server, address);
  return { address: { host: address.host, port }, close: () => close(server, events) };
}

interface Serving extends AdminOptions {
  readonly routes: readonly Route[];
}

async function serve(serving: Serving, request: IncomingMessage, response: ServerResponse): Promise<void> {
  // A client that leaves is no error of ours; without a listener it would end the process.
  response.on('error', () => {});
  try {
    send(request, response, await answer(serving, request));
  } catch (error) {
    if (!(error instanceof AdminError)) serving.dependencies.failure('admin request failed', error);
    const shown =
      error instanceof AdminError ? error : new AdminError(500, 'internal_error', 'This failed; the log says why.');
    if (response.headersSent) response.destroy();
    else send(request, response, shown.reply());
  }
}

async function answer(serving: Serving, request: IncomingMessage): Promise<Reply> {
  if (serving.token === null) requireLocalHost(request);
  const url = readUrl(request.url ?? '/');
  const match = matchRoute(serving.routes, url.pathname, request.method ?? '');
  // Who may not ask is not told what exists.
  if (match?.access !== 'open') {
    refuseCrossSite(request);
    requireToken(request, serving.token);
  }
  if (match === null) throw new AdminError(404, 'not_found', 'There is nothing here. See /api/openapi.json.');
  const { route, id, allow } = match;
  if (route === null) throw new AdminError(405, 'method_not_allowed', `Only ${allow}.`, { headers: { allow } });
  const { dependencies } = serving;
  const query = new Query(url.searchParams, Object.keys(route.query));
  if (route.method) refuseOtherOrigin(request);
  const body = route.method ? await readJsonBody(request) : undefined;
  try {
    return await route.handle({ id, query, dependencies, body });
  } catch (error) {
    if (error instanceof RecordsUnavailableError) throw new AdminError(503, 'unavailable', error.message);
    if (error instanceof RangeError) throw new AdminError(400, 'invalid_parameter', error.message);
    throw error;
  }
}

function readUrl(target: string): URL {
  // Only origin form: an absolute URL or `//host` would replace the base.
  const url = target.startsWith('/') ? URL.parse(`http://admin${target}`) : null;
  if (url === null) throw new AdminError(400, 'invalid_url', 'The request target is not a path.');
  return url;
}

function send(request: IncomingMessage, response: ServerResponse, reply: Reply): void {
  for (const [name, value] of Object.entries(SECURITY_HEADERS)) response.setHeader(name, value);
  if (reply.kind === 'stream') {
    if (request.method === 'HEAD')
      response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' }).end();
    else reply.run(response);
    return;
  }
  const body = Buffer.from(reply.body);
  response.writeHead(reply.status, { 'content-type': reply.type, 'content-length': body.length, ...reply.headers });
  response.end(request.method === 'HEAD' ? undefined : body);
}

function listen(server: Server, address: Address): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(address.port, address.host.replace(/^\[|\]$/g, ''), () => {
      server.off('error', reject);
      const bound = server.address();
      resolve(typeof bound === 'object' && bound !== null ? bound.port : address.port);
    });
  });
}

function close(server: Server, events: LiveEvents): Promise<void> {
  return new Promise((resolve) => {
    events.close();
    server.close(() => resolve());
    // Answers in flight get a moment; whoever still holds a connection then does not hold up the exit.
    setTimeout(() => server.closeAllConnections(), 500).unref();
  });
}

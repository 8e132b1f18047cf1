import type * as Http2 from 'node:http2';
import { createRequire } from 'node:module';

/**
 * What Envoy needs of Node's HTTP/2 server. Node closes a connection, and every stream on it, after about 1,000 stream
 * resets; Envoy resets a stream whenever a client leaves. A body of many MiB would wait for a window update every 64 KiB.
 * All streams of an Envoy worker share one connection, so what Node allows to one client is not enough.
 */
export const SERVER_OPTIONS = {
  streamResetBurst: 1_000_000,
  streamResetRate: 1_000_000,
  maxSessionMemory: Number.MAX_SAFE_INTEGER,
  settings: { initialWindowSize: 1024 * 1024, maxConcurrentStreams: 1_000_000 },
};

/** The window of all streams together. */
export function widenSession(session: Http2.ServerHttp2Session): void {
  session.setLocalWindowSize(16 * 1024 * 1024);
}

const require = createRequire(import.meta.url);
let raised = false;

/**
 * The same for grpc-js, which has no option for it and calls `http2.createServer` through the module object, so that is
 * where the options are added. Process-wide.
 */
export function raiseResetLimits(): void {
  if (raised) return;
  raised = true;
  const http2 = require('node:http2') as { createServer: typeof Http2.createServer };
  const create = http2.createServer as (...rest: unknown[]) => ReturnType<typeof Http2.createServer>;
  const raisedCreate = (options: object, ...rest: unknown[]): ReturnType<typeof Http2.createServer> => {
    const given = (options ?? {}) as { settings?: object };
    const settings = { ...given.settings, ...SERVER_OPTIONS.settings };
    const server = create({ ...given, ...SERVER_OPTIONS, settings }, ...rest);
    server.on('session', widenSession);
    return server;
  };
  http2.createServer = raisedCreate as typeof Http2.createServer;
}

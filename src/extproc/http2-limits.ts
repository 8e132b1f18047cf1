import type * as Http2 from 'node:http2';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
let raised = false;

/**
 * Raises Node's tolerance for stream resets before grpc-js creates its server. Node closes a connection, and every
 * stream on it, after about 1,000 resets; Envoy resets a stream whenever a client leaves. grpc-js has no option for
 * it and calls `http2.createServer` through the module object, so that is where the options are added. Process-wide.
 */
export function raiseResetLimits(): void {
  if (raised) return;
  raised = true;
  const http2 = require('node:http2') as { createServer: typeof Http2.createServer };
  const create = http2.createServer as (...rest: unknown[]) => ReturnType<typeof Http2.createServer>;
  const limits = {
    streamResetBurst: 1_000_000,
    streamResetRate: 1_000_000,
    settings: { initialWindowSize: 1024 * 1024 },
  };
  const raisedCreate = (options: object, ...rest: unknown[]): ReturnType<typeof Http2.createServer> => {
    const given = (options ?? {}) as { settings?: object };
    const server = create({ ...given, ...limits, settings: { ...given.settings, ...limits.settings } }, ...rest);
    // A body of many MiB would otherwise wait for a window update every 64 KiB.
    server.on('session', (session) => session.setLocalWindowSize(16 * 1024 * 1024));
    return server;
  };
  http2.createServer = raisedCreate as typeof Http2.createServer;
}

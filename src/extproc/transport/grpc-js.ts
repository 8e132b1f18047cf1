import { rmSync } from 'node:fs';
import {
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type sendUnaryData,
} from '@grpc/grpc-js';
import { STATUS } from '../grpc-status.js';
import type { GuardedCall } from '../guarded-call.js';
import { externalProcessorService, healthService } from '../service-definition.js';
import { takeCalls } from './grpc-js-calls.js';
import { raiseResetLimits } from './http2-limits.js';
import { NOT_SERVING, PROCESS, SERVING, type Transport, type TransportOptions } from './transport.js';

/** The reference: gRPC by grpc-js, as everybody else speaks it. */
export async function startGrpcJs(options: TransportOptions): Promise<Transport> {
  raiseResetLimits();
  const streams = new Set<GuardedCall>();
  let serving = true;
  const server = new Server({
    'grpc.max_receive_message_length': options.maxMessageBytes,
    'grpc.max_send_message_length': -1,
    'grpc.max_concurrent_streams': 1_000_000,
    'grpc.enable_channelz': 0,
    interceptors: [takeCalls(PROCESS, streams, options)],
  });
  server.addService(externalProcessorService(), {
    Process: (raw: ServerDuplexStream<object, object>) =>
      raw.emit('error', { code: STATUS.INTERNAL, details: 'not taken by the interceptor' }),
  });
  server.addService(healthService(), {
    Check: (_call: ServerUnaryCall<object, object>, answer: sendUnaryData<object>) =>
      answer(null, { status: serving ? SERVING : NOT_SERVING }),
  });
  await bind(server, options.address);
  return {
    streams: () => streams.size,
    stop: (graceMs) => {
      serving = false;
      return shutdown(server, streams, graceMs);
    },
  };
}

async function bind(server: Server, address: string): Promise<void> {
  // A socket file that a killed process left behind; a living owner is excluded by the supervisor's lock.
  if (address.startsWith('unix:')) rmSync(address.slice('unix:'.length), { force: true });
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), (error) => (error ? reject(error) : resolve()));
  });
}

/** grpc-js's own `forceShutdown` ends no session where channelz is off, so the streams are ended one by one. */
function shutdown(server: Server, streams: ReadonlySet<GuardedCall>, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const force = setTimeout(() => {
      for (const stream of [...streams]) stream.fail(STATUS.UNAVAILABLE, 'the service is stopping');
      server.forceShutdown();
    }, graceMs);
    server.tryShutdown(() => {
      clearTimeout(force);
      resolve();
    });
  });
}

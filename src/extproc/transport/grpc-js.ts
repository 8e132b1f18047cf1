import { rmSync } from 'node:fs';
import {
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerUnaryCall,
  status as Status,
  type sendUnaryData,
} from '@grpc/grpc-js';
import { type Channel, GuardedCall } from '../guarded-call.js';
import type { ProcessingRequest, ProcessingResponse } from '../messages.js';
import { externalProcessorService, healthService } from '../service-definition.js';
import { raiseResetLimits } from './http2-limits.js';
import { NOT_SERVING, SERVING, type Transport, type TransportOptions } from './transport.js';

type RawCall = ServerDuplexStream<ProcessingRequest, ProcessingResponse>;

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
  });
  server.addService(externalProcessorService(), {
    Process: (raw: RawCall) => {
      const call = new GuardedCall(channelOf(raw), options.fault);
      streams.add(call);
      raw.once('close', () => streams.delete(call));
      call.run(options.open(raw.metadata.get('role')[0]?.toString(), call));
      follow(raw, call);
    },
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

function channelOf(raw: RawCall): Channel {
  return {
    send: (response) => raw.write(response),
    end: () => raw.end(),
    fail: (code, details) => raw.emit('error', { code, details }),
  };
}

function follow(raw: RawCall, call: GuardedCall): void {
  raw.on('data', (message: ProcessingRequest) => call.message(message));
  raw.on('end', () => call.halfClosed());
  raw.on('cancelled', () => call.closed());
  raw.on('close', () => call.closed());
  raw.on('error', () => call.closed());
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
      for (const stream of [...streams]) stream.fail(Status.UNAVAILABLE, 'the service is stopping');
      server.forceShutdown();
    }, graceMs);
    server.tryShutdown(() => {
      clearTimeout(force);
      resolve();
    });
  });
}

import { rmSync } from 'node:fs';
import { Server, ServerCredentials, type ServerUnaryCall, status as Status, type sendUnaryData } from '@grpc/grpc-js';
import type { Gateway } from '../gateway/gateway.js';
import { AnswerStream } from './answer-stream.js';
import { AttemptStream, UNKNOWN_ROLE } from './attempt-stream.js';
import { forwardIfForeign, type LaterRole } from './forward.js';
import { raiseResetLimits } from './http2-limits.js';
import { InFlight } from './in-flight.js';
import { PeekStream } from './peek-stream.js';
import { ProcessCall, type RawCall, type StreamHandler } from './process-call.js';
import { RequestStream } from './request-stream.js';
import { externalProcessorService, healthService } from './service-definition.js';

export interface ExtProcOptions {
  readonly gateway: Gateway;
  /** `unix:/path/extproc-1.sock`, or `host:port`. */
  readonly address: string;
  /** Bytes of the largest message: above Envoy's body limit. */
  readonly maxMessageBytes: number;
  /** Socket of another living generation, null when there is none. */
  readonly socketOf: (generation: string) => string | null;
  readonly fault: (what: string, error: unknown) => void;
}

export interface ExtProcServer {
  /** Streams open now, of all roles. */
  readonly streams: () => number;
  /** Requests decided and not finished. */
  readonly inFlight: () => number;
  /** Health answers NOT_SERVING, no new streams, running ones finish; forced after `graceMs`. */
  stop(graceMs: number): Promise<void>;
}

const SERVING = 1;
const NOT_SERVING = 2;

/** Starts the gRPC server that Envoy's filters ask. Resolves when it is bound. */
export async function startExtProc(options: ExtProcOptions): Promise<ExtProcServer> {
  raiseResetLimits();
  const inFlight = new InFlight();
  const state = { streams: new Set<ProcessCall>(), serving: true };
  const server = new Server({
    'grpc.max_receive_message_length': options.maxMessageBytes,
    'grpc.max_send_message_length': -1,
    'grpc.max_concurrent_streams': 1_000_000,
    'grpc.enable_channelz': 0,
  });
  server.addService(externalProcessorService(), {
    Process: (call: RawCall) => {
      const process = new ProcessCall(call, options.fault);
      state.streams.add(process);
      call.once('close', () => state.streams.delete(process));
      open(call, process, { ...options, inFlight });
    },
  });
  server.addService(healthService(), {
    Check: (_call: ServerUnaryCall<object, object>, answer: sendUnaryData<object>) =>
      answer(null, { status: state.serving ? SERVING : NOT_SERVING }),
  });
  await bind(server, options.address);
  return {
    streams: () => state.streams.size,
    inFlight: () => inFlight.size,
    stop: (graceMs) => {
      state.serving = false;
      return shutdown(server, state.streams, graceMs);
    },
  };
}

/** Roles whose streams may come to a younger generation than the one that has the request. */
const LOCAL: Readonly<Record<LaterRole, (...of: [ProcessCall, Gateway, InFlight]) => StreamHandler>> = {
  peek: (call, _gateway, inFlight) => new PeekStream(call, inFlight),
  again: (call, gateway, inFlight) => new AttemptStream(call, gateway, inFlight),
  answer: (call, gateway, inFlight) => new AnswerStream(call, gateway, inFlight),
};

/** Routes a new stream to its role, which the filter states in gRPC metadata. */
function open(call: RawCall, process: ProcessCall, options: ExtProcOptions & { readonly inFlight: InFlight }): void {
  const role = call.metadata.get('role')[0];
  const { inFlight } = options;
  if (role === 'request') process.run(new RequestStream(process, options.gateway, inFlight));
  else if (role === 'again' || role === 'peek' || role === 'answer') {
    const local = LOCAL[role](process, options.gateway, inFlight);
    process.run(
      forwardIfForeign(process, local, { generation: options.gateway.generation, role, socketOf: options.socketOf }),
    );
  } else {
    process.run({ message: () => process.fail(UNKNOWN_ROLE.code, UNKNOWN_ROLE.message), closed: () => {} });
  }
}

async function bind(server: Server, address: string): Promise<void> {
  // A socket file that a killed process left behind; a living owner is excluded by the supervisor's lock.
  if (address.startsWith('unix:')) rmSync(address.slice('unix:'.length), { force: true });
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), (error) => (error ? reject(error) : resolve()));
  });
}

/** grpc-js's own `forceShutdown` ends no session where channelz is off, so the streams are ended one by one. */
function shutdown(server: Server, streams: ReadonlySet<ProcessCall>, graceMs: number): Promise<void> {
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

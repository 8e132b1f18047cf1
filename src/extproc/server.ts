import type { Gateway } from '../gateway/gateway.js';
import { AnswerStream } from './answer-stream.js';
import { AttemptStream, UNKNOWN_ROLE } from './attempt-stream.js';
import { forwardIfForeign, type LaterRole } from './forward.js';
import { InFlight } from './in-flight.js';
import { PeekStream } from './peek-stream.js';
import type { ProcessCall, StreamHandler } from './process-call.js';
import { RequestStream } from './request-stream.js';
import { DEFAULT_TRANSPORT, type TransportName, transportNamed } from './transport/choose.js';

export interface ExtProcOptions {
  readonly gateway: Gateway;
  /** `unix:/path/extproc-1.sock`, or `host:port`. */
  readonly address: string;
  /** Bytes of the largest message: above Envoy's body limit. */
  readonly maxMessageBytes: number;
  /** Socket of another living generation, null when there is none. */
  readonly socketOf: (generation: string) => string | null;
  readonly fault: (what: string, error: unknown) => void;
  /** Not given: the default. */
  readonly transport?: TransportName | undefined;
}

export interface ExtProcServer {
  /** Streams open now, of all roles. */
  readonly streams: () => number;
  /** Requests decided and not finished. */
  readonly inFlight: () => number;
  /** Health answers NOT_SERVING, no new streams, running ones finish; forced after `graceMs`. */
  stop(graceMs: number): Promise<void>;
}

/** Starts the gRPC server that Envoy's filters ask. Resolves when it is bound. */
export async function startExtProc(options: ExtProcOptions): Promise<ExtProcServer> {
  const inFlight = new InFlight();
  const start = await transportNamed(options.transport ?? DEFAULT_TRANSPORT);
  const transport = await start({
    address: options.address,
    maxMessageBytes: options.maxMessageBytes,
    fault: options.fault,
    open: (role, call, routes) =>
      role === 'request'
        ? new RequestStream(call, options.gateway, inFlight, routes)
        : laterHandlerOf(role, call, { ...options, inFlight }),
  });
  return {
    streams: () => transport.streams(),
    inFlight: () => inFlight.size,
    stop: (graceMs) => transport.stop(graceMs),
  };
}

/** Roles whose streams may come to a younger generation than the one that has the request. */
const LOCAL: Readonly<Record<LaterRole, (...of: [ProcessCall, Gateway, InFlight]) => StreamHandler>> = {
  peek: (call, _gateway, inFlight) => new PeekStream(call, inFlight),
  again: (call, gateway, inFlight) => new AttemptStream(call, gateway, inFlight),
  answer: (call, gateway, inFlight) => new AnswerStream(call, gateway, inFlight),
};

/** The handler of a stream that another one's request has come before, by the role that the filter states in gRPC metadata. */
function laterHandlerOf(
  role: string | undefined,
  call: ProcessCall,
  options: ExtProcOptions & { readonly inFlight: InFlight },
): StreamHandler {
  const { gateway, inFlight, socketOf } = options;
  if (role === 'again' || role === 'peek' || role === 'answer') {
    const local = LOCAL[role](call, gateway, inFlight);
    return forwardIfForeign(call, local, { generation: gateway.generation, role, socketOf });
  }
  return { message: () => call.fail(UNKNOWN_ROLE.code, UNKNOWN_ROLE.message), closed: () => {} };
}

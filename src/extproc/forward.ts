import { attemptIdentity } from './attempt-stream.js';
import { STATUS } from './grpc-status.js';
import type { ProcessCall, StreamHandler } from './process-call.js';
import type { ProcessingRequest } from './wire/decode-request.js';

/** Roles that are asked about a request which another role has opened. */
export type LaterRole = 'again' | 'peek' | 'answer';

export interface ForwardOptions {
  readonly generation: string;
  readonly role: LaterRole;
  readonly socketOf: (generation: string) => string | null;
}

/**
 * During a restart Envoy opens an attempt's stream at the newest generation, while the request itself still lives in the
 * previous one: such a stream is piped there. The first message says whose it is.
 */
export function forwardIfForeign(call: ProcessCall, local: StreamHandler, options: ForwardOptions): StreamHandler {
  let handler: StreamHandler | null = null;
  const choose = (first: ProcessingRequest): StreamHandler => {
    const { generation } = attemptIdentity(first);
    const socket = generation === options.generation ? null : options.socketOf(generation);
    return socket === null ? local : forwarded(call, { socket, role: options.role }, local);
  };
  return {
    message(request) {
      handler ??= choose(request);
      handler.message(request);
    },
    closed: () => handler?.closed(),
  };
}

/**
 * The gRPC client that asks another generation is loaded when the first stream needs it: it takes 6 MB, and most processes
 * never do. What comes meanwhile waits.
 */
function forwarded(
  call: ProcessCall,
  owner: { readonly socket: string; readonly role: LaterRole },
  local: StreamHandler,
): StreamHandler {
  let handler: StreamHandler | null = null;
  let waiting: ProcessingRequest[] = [];
  let isClosed = false;
  import('./forwarded-stream.js').then(
    ({ ForwardedStream }) => {
      if (isClosed) return;
      call.later('asking another generation', () => {
        handler = new ForwardedStream(call, owner, local);
        for (const request of waiting) handler.message(request);
        waiting = [];
      });
    },
    (error: unknown) => call.fail(STATUS.UNAVAILABLE, String(error)),
  );
  return {
    message(request) {
      if (handler) handler.message(request);
      else waiting.push(request);
    },
    closed() {
      isClosed = true;
      handler?.closed();
    },
  };
}

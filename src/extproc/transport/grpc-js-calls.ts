import { type Metadata, ServerInterceptingCall, type ServerInterceptor, type ServerListener } from '@grpc/grpc-js';
import { type Channel, GuardedCall } from '../guarded-call.js';
import type { TransportOptions } from './transport.js';

type Call = Parameters<ServerInterceptor>[1];

/**
 * Takes ext_proc streams out of grpc-js before it wraps each in an object stream, whose next write waits for the one
 * before. What comes after is the library's own call: framing, headers, status. Other methods go on as usual.
 * @param path of the method
 * @param streams those that are open now
 */
export function takeCalls(path: string, streams: Set<GuardedCall>, options: TransportOptions): ServerInterceptor {
  return (method, below) => {
    if (method.path !== path) return new ServerInterceptingCall(below);
    return new ServerInterceptingCall(below, {
      // The object stream would be made where `listener` of the layer above hears of the metadata: it never does.
      start: (next) => next(listenerOf(below, streams, options)),
    });
  };
}

function listenerOf(below: Call, streams: Set<GuardedCall>, options: TransportOptions): ServerListener {
  const call = new GuardedCall(channelOf(below), options.fault);
  return {
    onReceiveMetadata(metadata: Metadata) {
      streams.add(call);
      const said = (key: string): string | undefined => metadata.get(key)[0]?.toString();
      call.run(options.open(said('role'), call, said('routes')));
      below.startRead();
    },
    onReceiveMessage(message) {
      call.message(message);
      below.startRead();
    },
    onReceiveHalfClose: () => call.halfClosed(),
    // Also after a good end.
    onCancel() {
      streams.delete(call);
      call.closed();
    },
  };
}

function channelOf(below: Call): Channel {
  return {
    send: (response) => below.sendMessage(response, written),
    end: () => below.sendStatus({ code: 0, details: '', metadata: null }),
    fail: (code, details) => below.sendStatus({ code, details, metadata: null }),
  };
}

function written(): void {
  // Nobody waits: answers are as many as questions.
}

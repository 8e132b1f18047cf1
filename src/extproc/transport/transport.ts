import type { ProcessCall, StreamHandler } from '../process-call.js';

export interface TransportOptions {
  /** `unix:/path/extproc-1.sock`, or `host:port`. */
  readonly address: string;
  /** Bytes of the largest message. */
  readonly maxMessageBytes: number;
  /** The handler of a new stream. `role` and `routes` are what the filter states in gRPC metadata. */
  readonly open: (role: string | undefined, call: ProcessCall, routes: string | undefined) => StreamHandler;
  /** Told about exceptions; each has ended one stream at most. */
  readonly fault: (what: string, error: unknown) => void;
}

/**
 * Carries ext_proc streams and the standard health check over gRPC. Every transport behaves the same towards Envoy
 * (test/extproc/transport/).
 */
export interface Transport {
  /** Streams open now. */
  streams(): number;
  /** Health answers NOT_SERVING, no new streams, running ones finish; after `graceMs` they end with UNAVAILABLE. */
  stop(graceMs: number): Promise<void>;
}

/** Resolves when the address is bound. */
export type StartTransport = (options: TransportOptions) => Promise<Transport>;

/** Path of the one method. */
export const PROCESS = '/envoy.service.ext_proc.v3.ExternalProcessor/Process';
/** Path of the standard health check. */
export const CHECK = '/grpc.health.v1.Health/Check';
export const SERVING = 1;
export const NOT_SERVING = 2;

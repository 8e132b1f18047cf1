import type { StartTransport } from './transport.js';

export type TransportName = 'http2' | 'grpc-js';

/** Chosen by measurement: docs/decisions/0018-two-transports-for-grpc.md. */
export const DEFAULT_TRANSPORT: TransportName = 'grpc-js';

/**
 * Reads the setting `TOLLGATE_TRANSPORT`; not set or empty = the default.
 * @throws Error for a name that is none
 */
export function readTransport(name: string | undefined): TransportName {
  if (name === undefined || name === '') return DEFAULT_TRANSPORT;
  if (name === 'http2' || name === 'grpc-js') return name;
  throw new Error(`TOLLGATE_TRANSPORT is "${name}"; it may be http2 or grpc-js`);
}

/** Loads only what is used. */
export async function transportNamed(name: TransportName): Promise<StartTransport> {
  if (name === 'grpc-js') return (await import('./grpc-js.js')).startGrpcJs;
  return (await import('./http2.js')).startHttp2;
}

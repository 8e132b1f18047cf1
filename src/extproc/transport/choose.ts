import type { StartTransport } from './transport.js';

export type TransportName = 'net' | 'http2' | 'grpc-js';

const NAMES: readonly TransportName[] = ['net', 'http2', 'grpc-js'];

/** Chosen by measurement: docs/decisions/0019-http2-by-ourselves.md. */
export const DEFAULT_TRANSPORT: TransportName = 'net';

/**
 * Reads the setting `TOLLGATE_TRANSPORT`; not set or empty = the default.
 * @throws Error for a name that is none
 */
export function readTransport(name: string | undefined): TransportName {
  if (name === undefined || name === '') return DEFAULT_TRANSPORT;
  const known = NAMES.find((each) => each === name);
  if (known === undefined) throw new Error(`TOLLGATE_TRANSPORT is "${name}"; it may be ${NAMES.join(', ')}`);
  return known;
}

/** Loads only what is used. */
export async function transportNamed(name: TransportName): Promise<StartTransport> {
  if (name === 'grpc-js') return (await import('./grpc-js.js')).startGrpcJs;
  if (name === 'http2') return (await import('./http2.js')).startHttp2;
  return (await import('./net.js')).startNet;
}

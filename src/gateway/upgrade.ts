import type { Endpoint, Wire } from '../dialects/endpoint.js';
import { GatewayError } from '../dialects/error.js';
import { offeredProtocols } from '../policy/keys/presented-key.js';
import type { HeaderView } from './headers.js';
import type { Parts } from './parts.js';
import type { HeaderPair } from './reply.js';
import type { RequestState } from './state.js';

/** What the handshake of a WebSocket needs at the provider. Not extensions: compressed frames could not be read. */
const HANDSHAKE: readonly string[] = ['connection', 'upgrade', 'sec-websocket-key', 'sec-websocket-version'];

/** Hop-by-hop headers that are the answer to an upgrade. */
const SWITCHED: ReadonlySet<string> = new Set(['connection', 'upgrade']);

/** The endpoint is spoken to over a WebSocket, opened by a request without a body. */
export function isUpgrade(wire: Wire | undefined): boolean {
  return wire === 'openai-realtime';
}

/** Refuses what is no handshake; Envoy would take it for a simple request. */
export function checkUpgrade(endpoint: Endpoint, headers: HeaderView): void {
  if (headers.get('upgrade')?.toLowerCase() === 'websocket') return;
  throw new GatewayError('unsupported_endpoint', `${endpoint.path} is a WebSocket: connect with "Upgrade: websocket".`);
}

/** Headers of the client's handshake that the provider gets, those that are not kept as they are among them. */
export function handshakeHeaders(headers: HeaderView): {
  readonly kept: readonly string[];
  readonly set: readonly HeaderPair[];
} {
  const protocols = offeredProtocols(headers.all('sec-websocket-protocol'));
  return { kept: HANDSHAKE, set: [['sec-websocket-protocol', protocols]] };
}

/** The names to remove from an answer; one that switches protocols keeps what says so. */
export function removedFromAnswer(status: number, names: readonly string[]): readonly string[] {
  return status === 101 ? names.filter((name) => !SWITCHED.has(name)) : names;
}

/** Envoy's cluster for this request at a provider: a WebSocket begins in HTTP/1.1, whatever else the provider speaks. */
export function clusterFor(parts: Parts, state: RequestState, provider: string): string {
  return isUpgrade(state.endpoint?.wire) ? parts.upgradeClusterOf(provider) : parts.clusterOf(provider);
}

import { CODE, ConnectionError, FIRST_WINDOW, LARGEST, LEAST_MAX_FRAME, MOST_MAX_FRAME, SETTING } from './protocol.js';

/** Streams open at once; more are refused, and the peer may try elsewhere. */
export const MOST_STREAMS = 100_000;
/** A body of 200 KB needs no window update, one of 32 MiB sixty-four: what Envoy may have written of it small requests wait for. */
export const STREAM_WINDOW = 1024 * 1024;
/** All streams of a worker of Envoy share a connection, and what they bring is taken at once. */
export const CONNECTION_WINDOW = 256 * 1024 * 1024;
/** Larger frames save the peer heads and us nothing more. */
export const MAX_FRAME = 256 * 1024;

const ENTRY = 6;

/** What we tell the peer first. */
export const OUR_SETTINGS = settings([
  [SETTING.maxConcurrentStreams, MOST_STREAMS],
  [SETTING.initialWindowSize, STREAM_WINDOW],
  [SETTING.maxFrameSize, MAX_FRAME],
  [SETTING.maxHeaderListSize, 64 * 1024],
]);
/** How much the connection's window is wider than at first. */
export const CONNECTION_WIDER = uint32(CONNECTION_WINDOW - FIRST_WINDOW);

function settings(entries: readonly (readonly [id: number, value: number])[]): Buffer {
  const bytes = Buffer.alloc(entries.length * ENTRY);
  for (const [index, [id, value]] of entries.entries()) {
    bytes.writeUInt16BE(id, index * ENTRY);
    bytes.writeUInt32BE(value, index * ENTRY + 2);
  }
  return bytes;
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** What we heed of the peer's settings; the others are about what we never do (pushing, a table for our headers). */
export interface PeerSettings {
  initialWindow: number;
  maxFrame: number;
}

/**
 * Takes a SETTINGS payload.
 * @throws ConnectionError for values that are not allowed
 */
export function readSettings(payload: Buffer, into: PeerSettings): void {
  if (payload.length % ENTRY !== 0) throw new ConnectionError(CODE.frameSize, 'settings');
  for (let at = 0; at < payload.length; at += ENTRY) {
    const id = payload.readUInt16BE(at);
    const value = payload.readUInt32BE(at + 2);
    if (id === SETTING.initialWindowSize) {
      if (value > LARGEST) throw new ConnectionError(CODE.flowControl, `an initial window of ${value}`);
      into.initialWindow = value;
    } else if (id === SETTING.maxFrameSize) {
      if (value < LEAST_MAX_FRAME || value > MOST_MAX_FRAME) {
        throw new ConnectionError(CODE.protocol, `a largest frame of ${value}`);
      }
      into.maxFrame = value;
    } else if (id === SETTING.enablePush && value > 1) throw new ConnectionError(CODE.protocol, 'push');
  }
}

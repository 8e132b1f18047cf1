/*
 * Numbers of HTTP/2. Source: RFC 9113, sections 6 (frames), 6.5.2 (settings) and 7 (error codes).
 */

export const FRAME = {
  data: 0,
  headers: 1,
  priority: 2,
  rstStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

export const FLAG = { endStream: 0x1, ack: 0x1, endHeaders: 0x4, padded: 0x8, priority: 0x20 } as const;

export const SETTING = {
  headerTableSize: 1,
  enablePush: 2,
  maxConcurrentStreams: 3,
  initialWindowSize: 4,
  maxFrameSize: 5,
  maxHeaderListSize: 6,
} as const;

export const CODE = {
  none: 0x0,
  protocol: 0x1,
  internal: 0x2,
  flowControl: 0x3,
  streamClosed: 0x5,
  frameSize: 0x6,
  refusedStream: 0x7,
  cancel: 0x8,
  compression: 0x9,
  enhanceYourCalm: 0xb,
} as const;

export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
/** Bytes of a frame's head. */
export const HEAD = 9;
/** The first value of every window. */
export const FIRST_WINDOW = 65_535;
/** The largest value of a window, and of a stream's number. */
export const LARGEST = 0x7fffffff;
/** The largest payload until the peer allows more, and the least that it may allow. */
export const LEAST_MAX_FRAME = 16_384;
export const MOST_MAX_FRAME = 16_777_215;

/** The peer broke the protocol: the whole connection ends. */
export class ConnectionError extends Error {
  /** One of CODE, told in GOAWAY. */
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

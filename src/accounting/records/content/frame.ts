import { crc32 } from 'node:zlib';

/** What the gateway keeps of a request. Bodies are as the client sent and got them. */
export interface Content {
  readonly id: string;
  /** ISO 8601 UTC, when the request arrived. */
  readonly time: string;
  readonly request: Buffer;
  readonly response: Buffer;
}

/** A frame read back. */
export interface Frame extends Content {
  /** Bytes that there were; the buffers may hold fewer. */
  readonly requestBytes: number;
  readonly responseBytes: number;
}

interface Header {
  readonly id: string;
  readonly time: string;
  /** Bytes kept of the request and of the response, then bytes that there were. */
  readonly lengths: readonly [number, number, number, number];
}

const NEWLINE = 0x0a;
/** Checksum and the space behind it. */
const PREFIX = 9;
const LONGEST_HEADER = 4_096;
const END = Buffer.from('\n');

/** `<CRC-32 of header and bodies> <header, JSON>\n<request><response>\n`, as pieces to write one after another. */
export function encodeFrame(content: Content, mostBytes: number): readonly Buffer[] {
  const request = content.request.subarray(0, mostBytes);
  const response = content.response.subarray(0, mostBytes);
  const header: Header = {
    id: content.id,
    time: content.time,
    lengths: [request.length, response.length, content.request.length, content.response.length],
  };
  const json = JSON.stringify(header);
  return [Buffer.from(`${checksum(json, request, response)} ${json}\n`), request, response, END];
}

/**
 * The frame at the beginning of `bytes` and its length · `incomplete`: it may go on behind the end · `damaged`: what is there is
 * no frame, the next one may begin behind `length` bytes.
 */
export type FrameReading =
  | { readonly kind: 'frame'; readonly frame: Frame; readonly length: number }
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'damaged'; readonly length: number };

export function decodeFrame(bytes: Buffer): FrameReading {
  const end = bytes.indexOf(NEWLINE);
  if (end < 0)
    return bytes.length > LONGEST_HEADER ? { kind: 'damaged', length: bytes.length } : { kind: 'incomplete' };
  const damaged = { kind: 'damaged', length: end + 1 } as const;
  const header = readHeader(bytes.subarray(PREFIX, end));
  if (header === null) return damaged;
  const [request, response, requestBytes, responseBytes] = header.lengths;
  const start = end + 1;
  const length = start + request + response + 1;
  if (bytes.length < length) return { kind: 'incomplete' };
  const bodies = [bytes.subarray(start, start + request), bytes.subarray(start + request, length - 1)] as const;
  if (bytes.toString('latin1', 0, PREFIX - 1) !== checksum(bytes.subarray(PREFIX, end), ...bodies)) return damaged;
  const { id, time } = header;
  return {
    kind: 'frame',
    frame: { id, time, request: bodies[0], response: bodies[1], requestBytes, responseBytes },
    length,
  };
}

function readHeader(json: Buffer): Header | null {
  try {
    const header: Partial<Header> = JSON.parse(json.toString('utf8'));
    const { id, time, lengths } = header;
    if (typeof id !== 'string' || typeof time !== 'string' || !Array.isArray(lengths)) return null;
    return lengths.length === 4 && lengths.every((length) => Number.isSafeInteger(length) && length >= 0)
      ? { id, time, lengths: [lengths[0] ?? 0, lengths[1] ?? 0, lengths[2] ?? 0, lengths[3] ?? 0] }
      : null;
  } catch {
    return null;
  }
}

function checksum(header: string | Buffer, request: Buffer, response: Buffer): string {
  return crc32(response, crc32(request, crc32(header)))
    .toString(16)
    .padStart(8, '0');
}

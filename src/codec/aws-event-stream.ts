import { crc32 } from 'node:zlib';
import { Gatherer } from './gatherer.js';

/**
 * AWS' event stream (`application/vnd.amazon.eventstream`). A frame: total length, length of the headers, CRC32 of these
 * eight bytes, headers, payload, CRC32 of all before it; numbers are big-endian.
 * Source: https://smithy.io/2.0/aws/amazon-eventstream.html
 */
export type FrameHeader =
  | { readonly type: 'boolean'; readonly value: boolean }
  | { readonly type: 'byte' | 'short' | 'integer'; readonly value: number }
  /** A timestamp is in milliseconds of the epoch. */
  | { readonly type: 'long' | 'timestamp'; readonly value: bigint }
  | { readonly type: 'binary'; readonly value: Buffer }
  | { readonly type: 'string' | 'uuid'; readonly value: string };

export type FrameHeaders = ReadonlyMap<string, FrameHeader>;

export interface FrameHandler {
  /** `payload` is only valid during the call. */
  frame(headers: FrameHeaders, payload: Buffer): void;
  /** The bytes are no frames, or were damaged: nothing more will be read. `reason` is a sentence. */
  damaged(reason: string): void;
}

/** Larger frames are damage: AWS allows 16 MiB of payload, and no event that we read comes near it. */
export const MAX_FRAME = 16 * 1024 * 1024;

const PRELUDE = 12;
const CHECKSUM = 4;
const SMALLEST = PRELUDE + CHECKSUM;

/** Cuts bytes that arrive in any pieces into frames; bytes are copied only where a frame crosses from one chunk to the next. */
export class FrameCutter {
  readonly #handler: FrameHandler;
  readonly #kept = new Gatherer();
  #damaged = false;
  /** Length of the frame in hand, 0 while its prelude is not complete. */
  #total = 0;

  constructor(handler: FrameHandler) {
    this.#handler = handler;
  }

  push(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length && !this.#damaged) {
      at = this.#kept.length === 0 && chunk.length - at >= PRELUDE ? this.#inPlace(chunk, at) : this.#gather(chunk, at);
    }
  }

  /** False when bytes of an unfinished frame are left, or the stream was damaged. */
  end(): boolean {
    return !this.#damaged && this.#kept.length === 0;
  }

  /** Reads a frame where it lies when all of it is there; returns where the next one begins. */
  #inPlace(chunk: Buffer, at: number): number {
    if (!this.#readPrelude(chunk, at)) return chunk.length;
    const end = at + this.#total;
    if (end > chunk.length) return this.#keep(chunk, at, chunk.length);
    this.#readFrame(chunk.subarray(at, end));
    return end;
  }

  #gather(chunk: Buffer, at: number): number {
    const wanted = this.#total === 0 ? PRELUDE : this.#total;
    const next = this.#keep(chunk, at, Math.min(chunk.length, at + wanted - this.#kept.length));
    if (this.#kept.length < wanted) return next;
    if (this.#total === 0) {
      this.#readPrelude(this.#kept.bytes, 0);
    } else {
      this.#readFrame(this.#kept.bytes.subarray(0, wanted));
      this.#kept.clear();
    }
    return next;
  }

  #keep(chunk: Buffer, start: number, end: number): number {
    this.#kept.add(chunk, start, end);
    return end;
  }

  #readPrelude(bytes: Buffer, at: number): boolean {
    // The checksum first: lengths that were damaged must not be believed.
    if (crc32(bytes.subarray(at, at + 8)) !== bytes.readUInt32BE(at + 8)) {
      return this.#stop('The checksum of a frame’s lengths is wrong.');
    }
    const total = bytes.readUInt32BE(at);
    if (total < SMALLEST || total > MAX_FRAME) return this.#stop(`A frame claims ${total} bytes.`);
    if (bytes.readUInt32BE(at + 4) > total - SMALLEST)
      return this.#stop('The headers of a frame are longer than the frame.');
    this.#total = total;
    return true;
  }

  #readFrame(frame: Buffer): void {
    this.#total = 0;
    const end = frame.length - CHECKSUM;
    if (crc32(frame.subarray(0, end)) !== frame.readUInt32BE(end)) {
      this.#stop('The checksum of a frame is wrong.');
      return;
    }
    const headersEnd = PRELUDE + frame.readUInt32BE(4);
    const headers = readHeaders(frame.subarray(PRELUDE, headersEnd));
    if (headers === null) this.#stop('The headers of a frame cannot be read.');
    else this.#handler.frame(headers, frame.subarray(headersEnd, end));
  }

  #stop(reason: string): false {
    this.#damaged = true;
    this.#kept.clear();
    this.#handler.damaged(reason);
    return false;
  }
}

/** One frame as bytes. Names and strings are UTF-8; a name has at most 255 bytes, a value at most 65,535. */
export function encodeFrame(headers: FrameHeaders, payload: Buffer): Buffer {
  const head = Buffer.concat([...headers].map(([name, header]) => encodeHeader(name, header)));
  const total = SMALLEST + head.length + payload.length;
  const frame = Buffer.alloc(total);
  frame.writeUInt32BE(total, 0);
  frame.writeUInt32BE(head.length, 4);
  frame.writeUInt32BE(crc32(frame.subarray(0, 8)), 8);
  head.copy(frame, PRELUDE);
  payload.copy(frame, PRELUDE + head.length);
  frame.writeUInt32BE(crc32(frame.subarray(0, total - CHECKSUM)), total - CHECKSUM);
  return frame;
}

/** Null when they do not fit their length, or have a type that does not exist. */
function readHeaders(bytes: Buffer): FrameHeaders | null {
  const headers = new Map<string, FrameHeader>();
  let at = 0;
  while (at < bytes.length) {
    const nameEnd = at + 1 + (bytes[at] ?? 0);
    const type = bytes[nameEnd];
    if (type === undefined) return null;
    const start = nameEnd + 1;
    const fixed = FIXED_LENGTHS[type];
    if (fixed === undefined && start + 2 > bytes.length) return null;
    const valueStart = fixed === undefined ? start + 2 : start;
    const valueEnd = valueStart + (fixed ?? bytes.readUInt16BE(start));
    const header = valueEnd <= bytes.length ? readValue(type, bytes.subarray(valueStart, valueEnd)) : null;
    if (header === null) return null;
    headers.set(bytes.toString('utf8', at + 1, nameEnd), header);
    at = valueEnd;
  }
  return headers;
}

/** Bytes of a value by its type; the types 6 and 7 state their length. */
const FIXED_LENGTHS: Readonly<Record<number, number>> = { 0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16 };

const READERS: readonly ((value: Buffer) => FrameHeader)[] = [
  () => ({ type: 'boolean', value: true }),
  () => ({ type: 'boolean', value: false }),
  (value) => ({ type: 'byte', value: value.readInt8(0) }),
  (value) => ({ type: 'short', value: value.readInt16BE(0) }),
  (value) => ({ type: 'integer', value: value.readInt32BE(0) }),
  (value) => ({ type: 'long', value: value.readBigInt64BE(0) }),
  (value) => ({ type: 'binary', value: Buffer.from(value) }),
  (value) => ({ type: 'string', value: value.toString('utf8') }),
  (value) => ({ type: 'timestamp', value: value.readBigInt64BE(0) }),
  (value) => ({ type: 'uuid', value: value.toString('hex').replace(UUID_GROUPS, '$1-$2-$3-$4-$5') }),
];

const UUID_GROUPS = /^(.{8})(.{4})(.{4})(.{4})(.{12})$/;

function readValue(type: number, value: Buffer): FrameHeader | null {
  return READERS[type]?.(value) ?? null;
}

function encodeHeader(name: string, header: FrameHeader): Buffer {
  const label = Buffer.from(name);
  return Buffer.concat([Buffer.from([label.length]), label, encodeValue(header)]);
}

function encodeValue(header: FrameHeader): Buffer {
  switch (header.type) {
    case 'boolean':
      return Buffer.from([header.value ? 0 : 1]);
    case 'byte':
      return Buffer.from([2, header.value & 0xff]);
    case 'short':
      return Buffer.from([3, (header.value >> 8) & 0xff, header.value & 0xff]);
    case 'integer': {
      const value = Buffer.from([4, 0, 0, 0, 0]);
      value.writeInt32BE(header.value, 1);
      return value;
    }
    case 'long':
      return wide(5, header.value);
    case 'timestamp':
      return wide(8, header.value);
    case 'binary':
      return sized(6, header.value);
    case 'string':
      return sized(7, Buffer.from(header.value));
    case 'uuid':
      return Buffer.concat([Buffer.from([9]), Buffer.from(header.value.replaceAll('-', ''), 'hex')]);
  }
}

function wide(type: number, number: bigint): Buffer {
  const value = Buffer.alloc(9);
  value[0] = type;
  value.writeBigInt64BE(number, 1);
  return value;
}

function sized(type: number, content: Buffer): Buffer {
  const value = Buffer.alloc(3 + content.length);
  value[0] = type;
  value.writeUInt16BE(content.length, 1);
  content.copy(value, 3);
  return value;
}

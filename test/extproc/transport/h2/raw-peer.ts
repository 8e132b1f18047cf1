import { connect, type Socket } from 'node:net';
import { CODE_LENGTHS } from '../../../../src/extproc/transport/h2/huffman.js';
import { FRAME, HEAD, PREFACE } from '../../../../src/extproc/transport/h2/protocol.js';
import { PROCESS } from '../echo.js';

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

export function frame(type: number, flags: number, stream: number, payload: Buffer | string = ''): Buffer {
  const bytes = Buffer.from(payload);
  const head = Buffer.alloc(HEAD);
  head.writeUIntBE(bytes.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, bytes]);
}

/** Every frame in the bytes; a frame that is cut off at the end is left out. */
export function framesIn(bytes: Buffer): Frame[] {
  const frames: Frame[] = [];
  for (let at = 0; at + HEAD <= bytes.length; ) {
    const end = at + HEAD + bytes.readUIntBE(at, 3);
    if (end > bytes.length) break;
    const payload = bytes.subarray(at + HEAD, end);
    frames.push({
      type: bytes.readUInt8(at + 3),
      flags: bytes.readUInt8(at + 4),
      stream: bytes.readUInt32BE(at + 5),
      payload,
    });
    at = end;
  }
  return frames;
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
}

export function setting(id: number, value: number): Buffer {
  return Buffer.concat([uint32(id).subarray(2), uint32(value)]);
}

/** An integer of HPACK. @param first bits that stand before it */
export function integer(value: number, prefixBits: number, first = 0): Buffer {
  const most = 2 ** prefixBits - 1;
  if (value < most) return Buffer.of(first | value);
  const bytes = [first | most];
  let rest = value - most;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  return Buffer.from([...bytes, rest]);
}

/** Codes of the Huffman code, as strings of 0 and 1: the next number at each length. */
const CODES: readonly string[] = (() => {
  const codes: string[] = [];
  let code = 0;
  for (let length = 5; length <= 30; length += 1) {
    for (const [symbol, its] of CODE_LENGTHS.entries()) {
      if (its !== length) continue;
      codes[symbol] = code.toString(2).padStart(length, '0');
      code += 1;
    }
    code *= 2;
  }
  return codes;
})();

export function huffman(bytes: Buffer): Buffer {
  const bits = Array.from(bytes, (byte) => CODES[byte]).join('');
  const whole = bits.padEnd(Math.ceil(bits.length / 8) * 8, '1');
  return Buffer.from((whole.match(/.{8}/g) ?? []).map((eight) => Number.parseInt(eight, 2)));
}

export function text(value: string, coded = false): Buffer {
  const bytes = Buffer.from(value, 'latin1');
  const written = coded ? huffman(bytes) : bytes;
  return Buffer.concat([integer(written.length, 7, coded ? 0x80 : 0), written]);
}

/** A field that nobody keeps. */
export function literal(name: string, value: string): Buffer {
  return Buffer.concat([Buffer.of(0), text(name), text(value)]);
}

export function block(fields: Readonly<Record<string, string>>): Buffer {
  return Buffer.concat(Object.entries(fields).map(([name, value]) => literal(name, value)));
}

export const REQUEST = block({
  ':method': 'POST',
  ':scheme': 'http',
  ':path': PROCESS,
  'content-type': 'application/grpc',
  role: 'echo',
});
export const SETTINGS = frame(FRAME.settings, 0, 0);
export const GREETING = Buffer.concat([PREFACE, SETTINGS]);

/** A connection whose bytes the test writes, and what came back. */
export class RawPeer {
  readonly socket: Socket;
  #heard: Buffer = Buffer.alloc(0);
  readonly #closed: Promise<unknown>;
  closed = false;

  constructor(path: string) {
    this.socket = connect(path);
    this.socket.on('data', (chunk: Buffer) => {
      this.#heard = Buffer.concat([this.#heard, chunk]);
    });
    this.socket.on('error', () => undefined);
    this.#closed = new Promise((resolve) => {
      this.socket.once('close', () => {
        this.closed = true;
        resolve(null);
      });
    });
  }

  get frames(): Frame[] {
    return framesIn(this.#heard);
  }

  write(...bytes: readonly Buffer[]): void {
    this.socket.write(Buffer.concat(bytes));
  }

  /** Waits for a frame. Rejects when the connection ends without it. */
  async until(what: string, is: (frame: Frame) => boolean): Promise<Frame> {
    for (;;) {
      const found = this.frames.find(is);
      if (found) return found;
      if (this.closed) throw new Error(`closed without ${what}`);
      await Promise.race([new Promise((resolve) => this.socket.once('data', resolve)), this.#closed]);
    }
  }

  async untilClosed(): Promise<void> {
    await this.#closed;
  }

  /** The code of the GOAWAY with which the connection ended. */
  async goaway(): Promise<number> {
    await this.untilClosed();
    const last = this.frames.filter(({ type }) => type === FRAME.goaway).at(-1);
    return last?.payload.readUInt32BE(4) ?? -1;
  }
}

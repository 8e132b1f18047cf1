import type { Socket } from 'node:net';
import { FRAME, HEAD } from './protocol.js';

/** Bytes up to here are copied together; larger ones are written from where they are. */
const COPIED_UP_TO = 4 * 1024;
const ROOM = 64 * 1024;

/**
 * Collects frames until `flush` gives them to the socket in one write. What is small is copied into memory that serves
 * again as soon as the kernel has taken it, which is at once unless the peer is slow.
 */
export class FrameWriter {
  readonly #socket: Socket;
  #memory = Buffer.allocUnsafeSlow(ROOM);
  /** Memory below belongs to pieces, or to writes under way. */
  #from = 0;
  #at = 0;
  #pieces: Buffer[] = [];
  /** Bytes since the last flush, without the heads of frames. */
  #collected = 0;
  /** The stream whose DATA was written last and may still grow, 0 = none. */
  #growing = 0;
  #growingHead = 0;
  #growingLength = 0;

  /** Called when the kernel has what was collected. */
  #taken: (() => void)[] | null = null;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** Bytes that the kernel has not taken. */
  get pending(): number {
    return this.#collected + this.#socket.writableLength;
  }

  /** A whole frame. */
  frame(head: { readonly type: number; readonly flags: number; readonly stream: number }, payload: Buffer): void {
    this.#head(payload.length, head.type, head.flags, head.stream);
    this.append(payload);
  }

  /**
   * Begins a DATA frame; `append` brings its bytes. Where the last frame is of the same stream, it grows instead.
   * @param most bytes of one frame
   */
  data(stream: number, length: number, most: number): void {
    const grown = this.#growingLength + length;
    if (this.#growing === stream && grown <= most) {
      this.#growingLength = grown;
      this.#memory.writeUIntBE(grown, this.#growingHead, 3);
      return;
    }
    this.#head(length, FRAME.data, 0, stream);
    this.#growing = stream;
    this.#growingHead = this.#at - HEAD;
    this.#growingLength = length;
  }

  append(piece: Buffer): void {
    this.#collected += piece.length;
    if (piece.length > COPIED_UP_TO) {
      this.#cut();
      this.#pieces.push(piece);
      return;
    }
    if (this.#at + piece.length > ROOM) this.#renew();
    this.#memory.set(piece, this.#at);
    this.#at += piece.length;
  }

  /** @param callback called when the kernel has all that was appended so far; never where the connection ends before */
  whenTaken(callback: () => void): void {
    if (this.#taken === null) this.#taken = [callback];
    else this.#taken.push(callback);
  }

  flush(): void {
    this.#cut();
    this.#growing = 0;
    const pieces = this.#pieces;
    const [first] = pieces;
    if (first === undefined) return;
    const socket = this.#socket;
    // A peer that has left hears nothing.
    if (socket.writable) {
      if (pieces.length === 1) socket.write(first, this.#told());
      else {
        const last = pieces.length - 1;
        socket.cork();
        for (let at = 0; at < last; at += 1) socket.write(pieces[at] ?? first);
        socket.write(pieces[last] ?? first, this.#told());
        socket.uncork();
      }
    }
    this.#pieces = [];
    this.#collected = 0;
    // The socket has nothing left: the kernel has it all.
    if (socket.writableLength === 0) {
      this.#from = 0;
      this.#at = 0;
    }
  }

  #told(): ((error?: Error | null) => void) | undefined {
    const taken = this.#taken;
    if (taken === null) return undefined;
    this.#taken = null;
    return (error) => {
      if (!error) for (const callback of taken) callback();
    };
  }

  #head(length: number, type: number, flags: number, stream: number): void {
    this.#growing = 0;
    if (this.#at + HEAD > ROOM) this.#renew();
    const memory = this.#memory;
    const at = this.#at;
    memory[at] = length >>> 16;
    memory[at + 1] = length >>> 8;
    memory[at + 2] = length;
    memory[at + 3] = type;
    memory[at + 4] = flags;
    memory.writeUInt32BE(stream, at + 5);
    this.#at = at + HEAD;
  }

  /** What was copied becomes a piece. */
  #cut(): void {
    if (this.#at > this.#from) this.#pieces.push(this.#memory.subarray(this.#from, this.#at));
    this.#from = this.#at;
  }

  /** The memory is full. */
  #renew(): void {
    this.#cut();
    this.#growing = 0;
    this.#memory = Buffer.allocUnsafeSlow(ROOM);
    this.#from = 0;
    this.#at = 0;
  }
}

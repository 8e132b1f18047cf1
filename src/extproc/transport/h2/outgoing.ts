import type { Socket } from 'node:net';
import { FrameWriter } from './frame-writer.js';
import { FIRST_WINDOW, LEAST_MAX_FRAME } from './protocol.js';
import { SendWindow } from './send-window.js';

/**
 * Bytes that wait for the kernel: what a large message has beyond them waits in its stream, so that small ones of others pass
 * it. Several times what a Unix socket holds, so that it never runs dry.
 */
const MOST_PENDING = 512 * 1024;

/** A stream that waits for the connection: for its window, or for the kernel. */
export interface Waiting {
  pump(): void;
}

/** What the streams of one connection share for sending. Frames of one turn of the event loop leave in one write. */
export class Outgoing {
  readonly writer: FrameWriter;
  readonly window = new SendWindow(FIRST_WINDOW);
  /** Of the peer's settings. */
  readonly peer = { initialWindow: FIRST_WINDOW, maxFrame: LEAST_MAX_FRAME };
  /** In the order in which they go on. */
  readonly blocked = new Set<Waiting>();
  #flushSoon = false;

  constructor(socket: Socket) {
    this.writer = new FrameWriter(socket);
    // Said whenever as much as below was written at once, when the kernel has it all.
    socket.on('drain', () => this.unblock());
  }

  /** Bytes of a large message that may be written now. */
  get room(): number {
    return Math.min(this.window.left, MOST_PENDING - this.writer.pending);
  }

  /** What was written leaves when this turn is over. */
  soon(): void {
    if (this.#flushSoon) return;
    this.#flushSoon = true;
    process.nextTick(flushOf, this);
  }

  /** Nothing leaves until `flush`, which the caller promises. */
  hold(): void {
    this.#flushSoon = true;
  }

  flush(): void {
    this.#flushSoon = false;
    this.writer.flush();
  }

  /** There may be room again. Who is blocked again goes to the end. */
  unblock(): void {
    for (const stream of [...this.blocked]) {
      if (this.room <= 0) return;
      this.blocked.delete(stream);
      stream.pump();
    }
  }
}

function flushOf(outgoing: Outgoing): void {
  outgoing.flush();
}

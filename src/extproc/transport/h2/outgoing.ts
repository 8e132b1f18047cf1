import type { Socket } from 'node:net';
import { FrameWriter } from './frame-writer.js';
import { FIRST_WINDOW, LEAST_MAX_FRAME } from './protocol.js';
import { SendWindow } from './send-window.js';

/** A stream that waits for the connection's window. */
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

  /** The connection's window is wider. Who is blocked again goes to the end. */
  unblock(): void {
    for (const stream of [...this.blocked]) {
      if (this.window.left <= 0) return;
      this.blocked.delete(stream);
      stream.pump();
    }
  }
}

function flushOf(outgoing: Outgoing): void {
  outgoing.flush();
}

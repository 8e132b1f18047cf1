import type { Outgoing } from './outgoing.js';
import { CODE, ConnectionError, FLAG, FRAME } from './protocol.js';
import { ReceiveWindow } from './receive-window.js';
import { SendWindow } from './send-window.js';
import { STREAM_WINDOW, uint32 } from './settings.js';

/** Who lives on a stream. */
export interface StreamUser {
  /** Bytes of `chunk` from `from` up to `to`, valid during the call only. */
  data(chunk: Buffer, from: number, to: number): void;
  /** The peer has said everything. */
  halfClosed(): void;
  /** The stream is over, by whomever. Called exactly once, last. */
  closed(): void;
}

/** Bytes that the peer has not taken: it gets no more window before they are gone. */
const BACKED_UP = 1024 * 1024;

/** One HTTP/2 stream, the server's side. Nothing here throws at its user; after the end everything is ignored. */
export class Stream {
  readonly id: number;
  readonly window: SendWindow;
  readonly #outgoing: Outgoing;
  readonly #incoming = new ReceiveWindow(STREAM_WINDOW);
  readonly #remove: (stream: Stream) => void;
  #user: StreamUser | null = null;
  /** What there is no room for yet. */
  #queue: Buffer[] = [];
  #queued = 0;
  /** Called when the kernel has all that is in the queue. */
  #taken: (() => void) | null = null;
  /** Said when the queue is empty. */
  #last: Buffer | null = null;
  #remoteClosed = false;
  #over = false;

  /** @param remove is told when the stream is over */
  constructor(id: number, outgoing: Outgoing, remove: (stream: Stream) => void) {
    this.id = id;
    this.window = new SendWindow(outgoing.peer.initialWindow);
    this.#outgoing = outgoing;
    this.#remove = remove;
  }

  get over(): boolean {
    return this.#over;
  }

  get remoteClosed(): boolean {
    return this.#remoteClosed;
  }

  /** @param user gets what comes from now on */
  begin(user: StreamUser): void {
    if (this.#over) user.closed();
    else this.#user = user;
  }

  /** @param block encoded headers, before any data */
  headers(block: Buffer): void {
    if (this.#over) return;
    this.#outgoing.writer.frame({ type: FRAME.headers, flags: FLAG.endHeaders, stream: this.id }, block);
    this.#outgoing.soon();
  }

  /**
   * @param bytes stay as they are until they have left
   * @param taken called when the kernel has them and all before them, unless the stream or its connection ends first
   */
  send(bytes: Buffer | readonly Buffer[], taken?: () => void): void {
    if (this.#over || this.#last !== null) return;
    if (taken !== undefined) this.#taken = both(this.#taken, taken);
    if (Buffer.isBuffer(bytes)) {
      if (this.#fits(bytes.length)) this.#outgoing.writer.append(bytes);
      else this.#wait([bytes], bytes.length);
    } else {
      const length = bytes.reduce(addLength, 0);
      if (this.#fits(length)) for (const piece of bytes) this.#outgoing.writer.append(piece);
      else this.#wait(bytes, length);
    }
    this.#appended();
    this.#outgoing.soon();
  }

  /** Ends our half after what was sent. @param block encoded trailers, or headers where nothing was sent */
  end(block: Buffer): void {
    if (this.#over || this.#last !== null) return;
    this.#last = block;
    if (this.#queued === 0) this.#finish(block);
  }

  reset(code: number): void {
    if (this.#over) return;
    this.#outgoing.writer.frame({ type: FRAME.rstStream, flags: 0, stream: this.id }, uint32(code));
    this.#outgoing.soon();
    this.gone();
  }

  /** Sends what there is room for. */
  pump(): void {
    const { peer, writer, blocked } = this.#outgoing;
    while (this.#queued > 0 && !this.#over) {
      const length = Math.min(this.#queued, peer.maxFrame, this.window.left, this.#outgoing.room);
      if (length <= 0) {
        if (this.window.left > 0) blocked.add(this);
        break;
      }
      this.#take(length);
      this.#queued -= length;
      for (let left = length; left > 0; ) left -= this.#appendFirst(writer, left);
    }
    this.#appended();
    this.#giveBack();
    this.#outgoing.soon();
    if (this.#queued === 0 && this.#last !== null && !this.#over) this.#finish(this.#last);
  }

  /** @throws ConnectionError for more bytes than the peer may send */
  received(length: number): void {
    if (!this.#incoming.take(length)) throw new ConnectionError(CODE.flowControl, `stream ${this.id} is too fast`);
  }

  data(chunk: Buffer, from: number, to: number): void {
    if (!this.#over) this.#user?.data(chunk, from, to);
  }

  /** Its bytes were read. */
  release(length: number): void {
    this.#incoming.release(length);
    this.#giveBack();
  }

  remoteEnds(): void {
    this.#remoteClosed = true;
    if (!this.#over) this.#user?.halfClosed();
  }

  /** Reset by the peer, or without its connection. */
  gone(): void {
    if (this.#over) return;
    this.#over = true;
    this.#queue = [];
    this.#queued = 0;
    this.#taken = null;
    this.#outgoing.blocked.delete(this);
    this.#remove(this);
    this.#user?.closed();
  }

  /** True: a frame of this length has begun. */
  #fits(length: number): boolean {
    const { window, peer } = this.#outgoing;
    if (this.#queued > 0 || length > this.window.left || length > window.left || length > peer.maxFrame) return false;
    this.#take(length);
    return true;
  }

  #wait(pieces: readonly Buffer[], length: number): void {
    this.#queue.push(...pieces);
    this.#queued += length;
    this.pump();
  }

  /** Begins a frame and takes its bytes from the windows. */
  #take(length: number): void {
    this.#outgoing.writer.data(this.id, length, this.#outgoing.peer.maxFrame);
    this.window.take(length);
    this.#outgoing.window.take(length);
  }

  /** The queue may be empty: what was in it is the writer's now. */
  #appended(): void {
    if (this.#taken === null || this.#queued > 0) return;
    this.#outgoing.writer.whenTaken(this.#taken);
    this.#taken = null;
  }

  #appendFirst(writer: Outgoing['writer'], most: number): number {
    const [first] = this.#queue;
    if (first === undefined) return most;
    if (first.length <= most) {
      this.#queue.shift();
      writer.append(first);
      return first.length;
    }
    this.#queue[0] = first.subarray(most);
    writer.append(first.subarray(0, most));
    return most;
  }

  #giveBack(): void {
    if (this.#remoteClosed || this.#over || this.#queued > BACKED_UP) return;
    const bytes = this.#incoming.giveBack();
    if (bytes === 0) return;
    this.#outgoing.writer.frame({ type: FRAME.windowUpdate, flags: 0, stream: this.id }, uint32(bytes));
    this.#outgoing.soon();
  }

  #finish(block: Buffer): void {
    const flags = FLAG.endHeaders | FLAG.endStream;
    this.#outgoing.writer.frame({ type: FRAME.headers, flags, stream: this.id }, block);
    this.#outgoing.soon();
    // What the peer would still say interests nobody: RFC 9113, section 8.1.
    if (this.#remoteClosed) this.gone();
    else this.reset(CODE.none);
  }
}

function both(first: (() => void) | null, second: () => void): () => void {
  if (first === null) return second;
  return () => {
    first();
    second();
  };
}

function addLength(sum: number, piece: Buffer): number {
  return sum + piece.length;
}

import type { Socket } from 'node:net';
import { LiveMap } from '../../../store/live-map.js';
import { FloodGuard } from './flood-guard.js';
import { type FrameHead, FrameReader, type FrameSink } from './frame-reader.js';
import { blockOf, HeaderBlock } from './header-block.js';
import { RequestHead } from './header-field.js';
import { HpackDecoder } from './hpack-decoder.js';
import { Outgoing } from './outgoing.js';
import { CODE, ConnectionError, FLAG, FRAME, LARGEST } from './protocol.js';
import { ReceiveWindow } from './receive-window.js';
import {
  CONNECTION_WIDER,
  CONNECTION_WINDOW,
  MAX_FRAME,
  MOST_STREAMS,
  OUR_SETTINGS,
  readSettings,
  uint32,
} from './settings.js';
import { Stream, type StreamUser } from './stream.js';

export interface SessionOptions {
  /** Takes a new stream. @param head valid during the call only */
  readonly open: (head: RequestHead, stream: Stream) => StreamUser;
  /** Told about what ends a stream or the connection and should not have happened. */
  readonly fault: (what: string, error: unknown) => void;
}

const EMPTY = Buffer.alloc(0);
const FAREWELL = Buffer.from('farewell');
/** Bytes that the socket has not taken: nothing is read before they are gone. */
const BACKED_UP = 1024 * 1024;
/** For the peer to answer the ping of a goodbye. */
const ANSWER_MS = 5_000;
/** For the peer to hear why, and to close. */
const LINGER_MS = 1_000;

/** One HTTP/2 connection, the server's side. A peer that breaks the protocol ends it, and it alone. */
export class Session implements FrameSink {
  readonly #socket: Socket;
  readonly #options: SessionOptions;
  readonly #outgoing: Outgoing;
  readonly #reader = new FrameReader(this, MAX_FRAME);
  readonly #decoder = new HpackDecoder();
  readonly #block = new HeaderBlock();
  readonly #head = new RequestHead();
  readonly #incoming = new ReceiveWindow(CONNECTION_WINDOW);
  readonly #flood = new FloodGuard();
  readonly #streams = LiveMap.byNumber<Stream>();
  readonly #remove = (stream: Stream): void => this.#removed(stream);
  /** The peer's settings have come. */
  #settled = false;
  #lastStream = 0;
  /** Of the DATA frame that is being read. */
  #current: Stream | null = null;
  #currentEnds = false;
  #currentLength = 0;
  #leaving = false;
  /** New streams are refused. */
  #refusing = false;
  #over = false;

  constructor(socket: Socket, options: SessionOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#outgoing = new Outgoing(socket);
    this.#write(FRAME.settings, OUR_SETTINGS);
    this.#write(FRAME.windowUpdate, CONNECTION_WIDER);
  }

  /** Takes what came from the socket; answers to it leave in one write. Throws nothing. */
  push(chunk: Buffer): void {
    if (this.#over) return;
    this.#outgoing.hold();
    try {
      this.#reader.push(chunk);
    } catch (error) {
      this.#broken(error);
    }
    this.#outgoing.flush();
    if (this.#socket.writableLength > BACKED_UP) this.#socket.pause().once('drain', resume);
  }

  /**
   * Says goodbye: what the peer sends before it has heard of it is still served, streams finish, then the connection ends.
   * Source: RFC 9113, section 6.8.
   */
  leave(): void {
    if (this.#over) return;
    if (!this.#settled) {
      this.#socket.destroy();
      return;
    }
    this.#leaving = true;
    this.#write(FRAME.goaway, goaway(LARGEST, CODE.none));
    this.#write(FRAME.ping, FAREWELL);
    setTimeout(() => this.#refuse(), ANSWER_MS).unref();
  }

  /** The socket is gone, or the peer's half of it. */
  closed(): void {
    this.#over = true;
    for (const stream of this.#streams.values()) stream.gone();
  }

  frame(head: FrameHead, payload: Buffer): void {
    if (this.#over) return;
    const { type } = head;
    this.#expect(head);
    if (type === FRAME.headers) this.#headers(head, payload);
    else if (type === FRAME.continuation) this.#continuation(head, payload);
    else if (type === FRAME.windowUpdate) this.#windowUpdate(head, payload);
    else {
      this.#flood.count();
      if (type === FRAME.rstStream) this.#rstStream(head, payload);
      else if (type === FRAME.settings) this.#settings(head, payload);
      else if (type === FRAME.ping) this.#ping(head, payload);
      else if (type === FRAME.priority) ofLength(payload, 5);
      // A GOAWAY speaks of streams that we never open; the peer closes its connection itself.
      else if (type === FRAME.pushPromise) throw new ConnectionError(CODE.protocol, 'a client pushes');
    }
  }

  dataBegins(head: FrameHead): void {
    this.#current = null;
    if (this.#over) return;
    this.#expect(head);
    const { stream: id, length, flags } = head;
    this.#known(id);
    if (!this.#incoming.take(length)) throw new ConnectionError(CODE.flowControl, 'the connection is too fast');
    if (length === 0) this.#flood.count();
    else this.#flood.progress();
    const stream = this.#streams.get(id) ?? null;
    this.#current = stream;
    this.#currentEnds = (flags & FLAG.endStream) !== 0;
    this.#currentLength = length;
    if (stream?.remoteClosed) throw new ConnectionError(CODE.streamClosed, `data after the end of stream ${id}`);
    stream?.received(length);
  }

  data(chunk: Buffer, from: number, to: number): void {
    this.#current?.data(chunk, from, to);
  }

  dataEnds(): void {
    const stream = this.#current;
    this.#incoming.release(this.#currentLength);
    const bytes = this.#incoming.giveBack();
    if (bytes > 0) this.#write(FRAME.windowUpdate, uint32(bytes));
    if (stream === null) return;
    this.#current = null;
    if (this.#currentEnds) stream.remoteEnds();
    else stream.release(this.#currentLength);
  }

  /** @throws ConnectionError for a frame that may not come now */
  #expect({ type, flags, stream }: FrameHead): void {
    if (!this.#settled && (type !== FRAME.settings || (flags & FLAG.ack) !== 0)) {
      throw new ConnectionError(CODE.protocol, 'settings come first');
    }
    const open = this.#block.stream;
    if (open !== 0 && (type !== FRAME.continuation || stream !== open)) {
      throw new ConnectionError(CODE.protocol, 'a frame within headers');
    }
  }

  /** @throws ConnectionError for a stream that was never opened */
  #known(id: number): void {
    if (id === 0 || id % 2 === 0 || id > this.#lastStream) throw new ConnectionError(CODE.protocol, `stream ${id}`);
  }

  #headers({ stream, flags }: FrameHead, payload: Buffer): void {
    if (stream % 2 === 0) throw new ConnectionError(CODE.protocol, `stream ${stream}`);
    const block = blockOf(flags, payload);
    const ends = (flags & FLAG.endStream) !== 0;
    if ((flags & FLAG.endHeaders) === 0) this.#block.begin(stream, ends, block);
    else this.#request(stream, ends, block);
  }

  #continuation({ stream, flags }: FrameHead, payload: Buffer): void {
    const block = this.#block;
    if (block.stream === 0) throw new ConnectionError(CODE.protocol, 'a continuation of nothing');
    block.add(payload);
    if ((flags & FLAG.endHeaders) !== 0) this.#request(stream, block.endsStream, block.end());
  }

  #request(id: number, ends: boolean, block: Buffer): void {
    const head = this.#head;
    head.clear();
    // Also for streams that nobody wants: the table must stay the peer's.
    this.#decoder.decode(block, head);
    if (id > this.#lastStream) {
      this.#lastStream = id;
      this.#open(id, head);
    } else this.#trailers(id, ends);
    if (ends) this.#streams.get(id)?.remoteEnds();
  }

  #trailers(id: number, ends: boolean): void {
    this.#flood.count();
    const stream = this.#streams.get(id);
    if (stream === undefined) return;
    if (!ends || stream.remoteClosed) throw new ConnectionError(CODE.protocol, `headers again on stream ${id}`);
  }

  #open(id: number, head: RequestHead): void {
    this.#flood.progress();
    const stream = new Stream(id, this.#outgoing, this.#remove);
    this.#streams.set(id, stream);
    if (this.#refusing || this.#streams.size > MOST_STREAMS) stream.reset(CODE.refusedStream);
    else if (head.malformed || head.method === '' || head.path === '') stream.reset(CODE.protocol);
    else {
      try {
        stream.begin(this.#options.open(head, stream));
      } catch (error) {
        this.#options.fault('opening a stream', error);
        stream.reset(CODE.internal);
      }
    }
  }

  #windowUpdate({ stream: id }: FrameHead, payload: Buffer): void {
    ofLength(payload, 4);
    const bytes = payload.readUInt32BE(0) & LARGEST;
    if (id === 0) {
      if (bytes === 0) throw new ConnectionError(CODE.protocol, 'a window update of 0');
      if (!this.#outgoing.window.widen(bytes)) throw new ConnectionError(CODE.flowControl, 'the window is too wide');
      this.#outgoing.unblock();
      return;
    }
    this.#known(id);
    const stream = this.#streams.get(id);
    if (stream === undefined) return;
    if (bytes === 0) stream.reset(CODE.protocol);
    else if (stream.window.widen(bytes)) stream.pump();
    else stream.reset(CODE.flowControl);
  }

  #rstStream({ stream: id }: FrameHead, payload: Buffer): void {
    ofLength(payload, 4);
    this.#known(id);
    this.#streams.get(id)?.gone();
  }

  #settings({ stream, flags }: FrameHead, payload: Buffer): void {
    if (stream !== 0) throw new ConnectionError(CODE.protocol, 'settings of a stream');
    if ((flags & FLAG.ack) !== 0) {
      ofLength(payload, 0);
      return;
    }
    this.#settled = true;
    const { peer } = this.#outgoing;
    const before = peer.initialWindow;
    readSettings(payload, peer);
    this.#write(FRAME.settings, EMPTY, FLAG.ack);
    if (peer.initialWindow === before) return;
    for (const each of this.#streams.values()) {
      if (!each.window.widen(peer.initialWindow - before)) throw new ConnectionError(CODE.flowControl, 'settings');
      each.pump();
    }
  }

  #ping({ stream, flags }: FrameHead, payload: Buffer): void {
    if (stream !== 0) throw new ConnectionError(CODE.protocol, 'a ping of a stream');
    ofLength(payload, 8);
    if ((flags & FLAG.ack) === 0) this.#write(FRAME.ping, payload, FLAG.ack);
    // All that the peer sent before it knew has come.
    else if (this.#leaving && payload.equals(FAREWELL)) this.#refuse();
  }

  /** From now on. */
  #refuse(): void {
    if (this.#refusing || this.#over) return;
    this.#refusing = true;
    this.#write(FRAME.goaway, goaway(this.#lastStream, CODE.none));
    this.#endIfIdle();
  }

  #removed(stream: Stream): void {
    this.#streams.delete(stream.id);
    this.#endIfIdle();
  }

  #endIfIdle(): void {
    if (this.#streams.size > 0 || this.#over || !this.#refusing) return;
    this.#end();
  }

  /** What was written still leaves. A socket that is closed at once, with unread bytes, would take our last words with it. */
  #end(): void {
    this.#over = true;
    this.#outgoing.flush();
    this.#socket.end();
    setTimeout(() => this.#socket.destroy(), LINGER_MS).unref();
  }

  #broken(error: unknown): void {
    this.#options.fault('connection', error);
    if (this.#over) return;
    const code = error instanceof ConnectionError ? error.code : CODE.internal;
    this.#write(FRAME.goaway, goaway(this.#lastStream, code));
    this.#end();
    this.closed();
  }

  /** A frame of the connection. */
  #write(type: number, payload: Buffer, flags = 0): void {
    this.#outgoing.writer.frame({ type, flags, stream: 0 }, payload);
    this.#outgoing.soon();
  }
}

function resume(this: Socket): void {
  this.resume();
}

function ofLength(payload: Buffer, length: number): void {
  if (payload.length !== length) throw new ConnectionError(CODE.frameSize, `${payload.length} bytes, not ${length}`);
}

function goaway(lastStream: number, code: number): Buffer {
  return Buffer.concat([uint32(lastStream), uint32(code)]);
}

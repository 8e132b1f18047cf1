import { constants, type OutgoingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import { STATUS } from '../grpc-status.js';
import { type Channel, GuardedCall } from '../guarded-call.js';
import type { ProcessingResponse } from '../messages.js';
import { decodeRequest } from '../wire/decode-request.js';
import { encodeFramed } from '../wire/encode-response.js';
import { FrameError, MessageFrames, type MessageTaker } from './message-frames.js';

export const HEADERS = { ':status': 200, 'content-type': 'application/grpc' } as const;
export const WITH_TRAILERS = { waitForTrailers: true, sendDate: false } as const;
export const TRAILERS_ONLY = { endStream: true, sendDate: false } as const;
const OK: OutgoingHttpHeaders = { 'grpc-status': String(STATUS.OK) };

/** Answers up to this size are joined into one write; larger ones leave as they are. */
const JOINED_UP_TO = 16 * 1024;
/** Bytes that the peer has not taken: no more messages are read before they are gone. */
const PAUSE_ABOVE = 1024 * 1024;

/** Trailers (or the only headers) of a stream that ends. */
export function statusHeaders(code: number, message: string): OutgoingHttpHeaders {
  if (code === STATUS.OK) return OK;
  return { 'grpc-status': String(code), 'grpc-message': encodeURI(message.toWellFormed()) };
}

/** One gRPC stream of ext_proc on an HTTP/2 stream. Events are fed by `follow`. */
export class Http2Call implements Channel, MessageTaker {
  readonly call: GuardedCall;
  readonly #stream: ServerHttp2Stream;
  readonly #frames: MessageFrames;
  readonly #fault: (what: string, error: unknown) => void;
  /** Answers of this turn of the event loop. */
  #waiting: Buffer[] = [];
  #flushSoon = false;
  #trailers: OutgoingHttpHeaders = OK;

  constructor(
    stream: ServerHttp2Stream,
    options: { readonly maxMessageBytes: number; readonly fault: (what: string, error: unknown) => void },
  ) {
    this.#stream = stream;
    this.#fault = options.fault;
    this.call = new GuardedCall(this, options.fault);
    this.#frames = new MessageFrames(options.maxMessageBytes, this);
  }

  send(response: ProcessingResponse): void {
    encodeFramed(response, this.#waiting);
    if (this.#flushSoon) return;
    this.#flushSoon = true;
    process.nextTick(flushOf, this);
  }

  end(): void {
    this.#finish(OK);
  }

  fail(code: number, message: string): void {
    this.#finish(statusHeaders(code, message));
  }

  data(chunk: Buffer): void {
    if (this.call.over) return;
    // Answers to these messages leave when all of them were read.
    const flushed = this.#flushSoon;
    this.#flushSoon = true;
    try {
      this.#frames.push(chunk);
    } catch (error) {
      if (!(error instanceof FrameError)) this.#fault('message', error);
      this.call.fail(error instanceof FrameError ? error.code : STATUS.INTERNAL, 'no such message');
    }
    this.#flushSoon = flushed;
    if (!flushed) this.flush();
  }

  halfClosed(): void {
    if (this.#frames.between) this.call.halfClosed();
    else this.call.fail(STATUS.INTERNAL, 'the stream ended within a message');
  }

  sendTrailers(): void {
    if (!isGone(this.#stream)) this.#stream.sendTrailers(this.#trailers);
  }

  flush(): void {
    this.#flushSoon = false;
    const stream = this.#stream;
    const waiting = this.#waiting;
    const [first] = waiting;
    if (first === undefined) return;
    this.#waiting = [];
    if (isGone(stream)) return;
    try {
      if (!stream.headersSent) stream.respond(HEADERS, WITH_TRAILERS);
      if (waiting.length === 1) stream.write(first);
      else writeAll(stream, waiting);
    } catch (error) {
      this.#broken(error);
    }
    if (stream.writableLength > PAUSE_ABOVE && !stream.isPaused()) waitForDrain(stream);
  }

  message(bytes: Buffer): void {
    // What cannot be read throws, and `data` ends the stream.
    if (!this.call.over) this.call.message(decodeRequest(bytes));
  }

  #finish(trailers: OutgoingHttpHeaders): void {
    const stream = this.#stream;
    this.#trailers = trailers;
    this.flush();
    if (isGone(stream)) return;
    try {
      if (stream.headersSent) stream.end();
      else stream.respond({ ...HEADERS, ...trailers }, TRAILERS_ONLY);
    } catch (error) {
      this.#broken(error);
    }
  }

  /** A reset is no status OK: the filter's failure mode decides. */
  #broken(error: unknown): void {
    this.#fault('sending', error);
    this.#stream.close(constants.NGHTTP2_INTERNAL_ERROR);
  }
}

/** Reset by the peer, or without its connection: 'close' follows. */
function isGone(stream: ServerHttp2Stream): boolean {
  return stream.destroyed || stream.closed;
}

function flushOf(call: Http2Call): void {
  call.flush();
}

function writeAll(stream: ServerHttp2Stream, answers: readonly Buffer[]): void {
  let length = 0;
  for (const answer of answers) length += answer.length;
  if (length <= JOINED_UP_TO) {
    stream.write(Buffer.concat(answers, length));
    return;
  }
  stream.cork();
  for (const answer of answers) stream.write(answer);
  stream.uncork();
}

function waitForDrain(stream: ServerHttp2Stream): void {
  stream.pause();
  stream.once('drain', () => stream.resume());
}

const CALL = Symbol('call');
type CarryingStream = ServerHttp2Stream & { [CALL]?: Http2Call };

/** Feeds the stream's events to its call: shared listeners, so that a stream costs no closures. */
export function follow(stream: ServerHttp2Stream, call: Http2Call): void {
  (stream as CarryingStream)[CALL] = call;
  stream.on('data', onData);
  stream.on('end', onEnd);
  stream.on('wantTrailers', onWantTrailers);
  stream.on('error', onClose);
  stream.on('close', onClose);
}

function onData(this: CarryingStream, chunk: Buffer): void {
  this[CALL]?.data(chunk);
}

function onEnd(this: CarryingStream): void {
  this[CALL]?.halfClosed();
}

function onWantTrailers(this: CarryingStream): void {
  this[CALL]?.sendTrailers();
}

function onClose(this: CarryingStream): void {
  this[CALL]?.call.closed();
}

import { type SseHandler, SseSplitter } from '../codec/sse.js';
import { FrameDecoder } from './bedrock/frame-decoder.js';
import type { EventDecoder, EventHandler, Framing } from './event-decoder.js';
import { ArrayDecoder } from './gemini/array-decoder.js';
import { isObject, parseJson } from './json-value.js';
import { readFault, unwrapped } from './stream-fault.js';

const DECODERS: Readonly<Record<Framing, (handler: EventHandler) => EventDecoder>> = {
  sse: (handler) => new SseDecoder(handler),
  'aws-event-stream': (handler) => new FrameDecoder(handler),
  'json-array': (handler) => new ArrayDecoder(handler),
};

export function createEventDecoder(framing: Framing, handler: EventHandler): EventDecoder {
  return DECODERS[framing](handler);
}

/** Server-sent events whose data is JSON, of any dialect. */
class SseDecoder implements EventDecoder, SseHandler {
  readonly #handler: EventHandler;
  readonly #splitter = new SseSplitter(this);
  #skippedLines = 0;
  /** The last event could not be read. */
  #unread = false;

  constructor(handler: EventHandler) {
    this.#handler = handler;
  }

  push(chunk: Buffer): void {
    this.#splitter.push(chunk);
    this.#tellSkipped();
  }

  /** A complete event that only misses its blank line counts: some providers end like that. */
  end(): boolean {
    this.#unread = false;
    this.#splitter.end();
    this.#tellSkipped();
    return !this.#unread;
  }

  event(type: string, bytes: Buffer, start: number, end: number): void {
    if (bytes[start] === 0x5b && isDone(bytes, start, end)) this.#handler.done();
    else if (type === 'error') this.#handler.fault(readFault(bytes.toString('utf8', start, end)));
    else this.#read(type, bytes.toString('utf8', start, end));
  }

  passOver(_chunk: Buffer, at: number): number {
    return at;
  }

  bareError(bytes: Buffer, start: number, end: number): void {
    this.#handler.fault(readFault(bytes.toString('utf8', start, end)));
  }

  #read(type: string, text: string) {
    const value = unwrapped(parseJson(text));
    this.#unread = !isObject(value);
    if (isObject(value)) this.#handler.event(type, value);
    else this.#handler.skipped();
  }

  #tellSkipped() {
    for (; this.#skippedLines < this.#splitter.skippedLines; this.#skippedLines += 1) this.#handler.skipped();
  }
}

function isDone(bytes: Buffer, start: number, end: number): boolean {
  return bytes.toString('latin1', start, Math.min(end, start + 64)).trimEnd() === '[DONE]';
}

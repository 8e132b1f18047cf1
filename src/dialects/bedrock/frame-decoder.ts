import { FrameCutter, type FrameHandler, type FrameHeaders } from '../../codec/aws-event-stream.js';
import { MAX_LINE } from '../../codec/sse.js';
import type { EventDecoder, EventHandler } from '../event-decoder.js';
import { isObject, parseJson, stringIn } from '../json-value.js';
import { faultOf, readFault } from '../stream-fault.js';

/** Decodes AWS frames: each holds one JSON event, or an exception that ends the stream. Nothing is told after a fault. */
export class FrameDecoder implements EventDecoder, FrameHandler {
  readonly #handler: EventHandler;
  readonly #cutter = new FrameCutter(this);
  #failed = false;

  constructor(handler: EventHandler) {
    this.#handler = handler;
  }

  push(chunk: Buffer): void {
    if (!this.#failed) this.#cutter.push(chunk);
  }

  end(): boolean {
    return this.#cutter.end();
  }

  damaged(reason: string): void {
    this.#fail(reason, 'damaged_stream');
  }

  frame(headers: FrameHeaders, payload: Buffer): void {
    if (this.#failed) return;
    const kind = text(headers, ':message-type');
    if (kind === 'exception') this.#exception(text(headers, ':exception-type'), payload);
    else if (kind === 'error') this.#error(headers, payload);
    else this.#event(text(headers, ':event-type'), payload);
  }

  #event(type: string, payload: Buffer) {
    // Converse lists its exceptions among the events of its stream, so either kind of frame may carry one.
    if (type.endsWith('Exception')) return this.#exception(type, payload);
    const event = payload.length <= MAX_LINE ? parseJson(payload.toString('utf8')) : undefined;
    if (!isObject(event)) return this.#handler.skipped();
    const bytes = type === 'chunk' ? stringIn(event, 'bytes') : null;
    if (bytes === null) this.#handler.event(type, event);
    else this.#invokeEvent(bytes);
  }

  /** InvokeModel wraps each event of the model's own dialect. */
  #invokeEvent(base64: string) {
    const event = parseJson(Buffer.from(base64, 'base64').toString('utf8'));
    if (!isObject(event)) return this.#handler.skipped();
    const type = stringIn(event, 'type') ?? 'chunk';
    if (type !== 'error') return this.#handler.event(type, event);
    const fault = faultOf(event);
    this.#fail(fault.message, fault.code);
  }

  #exception(type: string, payload: Buffer) {
    this.#fail(readFault(payload.toString('utf8')).message, type === '' ? null : type);
  }

  #error(headers: FrameHeaders, payload: Buffer) {
    const said = text(headers, ':error-message');
    const code = text(headers, ':error-code');
    this.#fail(
      said === '' ? readFault(payload.toString('utf8')).message : said.slice(0, 300),
      code === '' ? null : code,
    );
  }

  #fail(message: string, code: string | null) {
    this.#failed = true;
    this.#handler.fault({ message, code });
  }
}

function text(headers: FrameHeaders, name: string): string {
  const header = headers.get(name);
  return header?.type === 'string' ? header.value : '';
}

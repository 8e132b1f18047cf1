import { JsonArrayCutter, type JsonArrayHandler } from '../../codec/json-array.js';
import type { EventDecoder, EventHandler } from '../event-decoder.js';
import { isObject, parseJson } from '../json-value.js';

/** Gemini's stream without `alt=sse`: every element of one JSON array is an event. */
export class ArrayDecoder implements EventDecoder, JsonArrayHandler {
  readonly #handler: EventHandler;
  readonly #cutter = new JsonArrayCutter(this);

  constructor(handler: EventHandler) {
    this.#handler = handler;
  }

  push(chunk: Buffer): void {
    this.#cutter.push(chunk);
  }

  end(): boolean {
    return this.#cutter.end();
  }

  element(bytes: Buffer, start: number, end: number): void {
    const value = parseJson(bytes.toString('utf8', start, end));
    if (isObject(value)) this.#handler.event('', value);
    else this.#handler.skipped();
  }

  tooLong(): void {
    this.#handler.skipped();
  }
}

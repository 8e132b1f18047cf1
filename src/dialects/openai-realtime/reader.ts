import { type WebSocketHandler, WebSocketReader } from '../../codec/websocket.js';
import type { AnswerFold } from '../answer-fold.js';
import { isObject, parseJson } from '../json-value.js';
import { emptyFacts, NO_SPAN, type ResponseFacts, type ResponseReader, type Span } from '../response-reader.js';

/** Where servers write an event's type: at its beginning, before anything of length. */
const TYPE = /^\s*\{\s*(?:"event_id"\s*:\s*"[^"\\]*"\s*,\s*)?"type"\s*:\s*"([^"\\]+)"/;
const HEAD = 200;

/** What the server says on a WebSocket: one JSON event in each text message. */
export class RealtimeReader implements ResponseReader, WebSocketHandler {
  readonly facts: ResponseFacts = emptyFacts();
  readonly #fold: AnswerFold;
  readonly #frames = new WebSocketReader(this);

  constructor(fold: AnswerFold) {
    this.#fold = fold;
  }

  push(chunk: Buffer): Readonly<Span> {
    this.#frames.push(chunk);
    return NO_SPAN;
  }

  end(): void {
    // Whether the session was at rest is known from its events.
  }

  text(bytes: Buffer): void {
    // Sound is most of what comes: its events are not parsed.
    const type = TYPE.exec(bytes.toString('latin1', 0, HEAD))?.[1];
    if (type !== undefined && !this.#fold.reads(type)) return;
    const event = parseJson(bytes.toString());
    if (!isObject(event)) return;
    const before = this.facts.contentBytes;
    this.#fold.event(event, this.facts, '');
    if (this.facts.contentBytes > before) this.facts.contentEvents += 1;
  }

  closed(): void {
    // A response that was under way has been paid for and was not stated: only events tell that all is settled.
  }

  skipped(): void {
    this.facts.skipped = true;
  }
}

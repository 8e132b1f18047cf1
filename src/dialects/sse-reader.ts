import { type SseHandler, SseSplitter } from '../codec/sse.js';
import { type AnswerFold, noteError, setError } from './answer-fold.js';
import { isObject, parseJson } from './json-value.js';
import { emptyFacts, type ResponseFacts, type ResponseReader } from './response-reader.js';
import { unwrapped } from './stream-fault.js';
import { TextTemplate } from './text-template.js';

const DONE = '[DONE]';

/** Reads an event stream of any dialect: splits, parses what its fold wants to see, tells errors and the end. */
export class SseReader implements ResponseReader, SseHandler {
  readonly facts: ResponseFacts = emptyFacts();
  readonly #fold: AnswerFold;
  readonly #splitter = new SseSplitter(this);
  readonly #template = new TextTemplate();
  #done = false;

  constructor(fold: AnswerFold) {
    this.#fold = fold;
  }

  push(chunk: Buffer): void {
    this.#splitter.push(chunk);
    if (this.#splitter.skippedLines > 0) this.facts.skipped = true;
  }

  end(): void {
    this.#splitter.end();
    if (this.#splitter.skippedLines > 0) this.facts.skipped = true;
  }

  event(type: string, bytes: Buffer, start: number, end: number): void {
    if (bytes[start] === 0x5b && isDone(bytes, start, end)) {
      this.#done ||= this.#fold.doneEnds;
      this.facts.terminal ||= this.#done;
      return;
    }
    if (type !== '' && type !== 'error' && !this.#fold.reads(type)) return;
    const repeated = type === '' ? this.#template.match(bytes, start, end) : -1;
    if (repeated >= 0) {
      this.#addRepeated(bytes, start + this.#template.offset, repeated);
      return;
    }
    const text = bytes.toString('utf8', start, end);
    if (type === 'error') this.#errorEvent(text);
    const value = unwrapped(parseJson(text));
    if (!isObject(value)) return;
    const before = this.facts.contentBytes;
    const added = this.#fold.event(value, this.facts, type);
    if (this.facts.contentBytes > before) this.facts.contentEvents += 1;
    this.facts.terminal ||= this.#done;
    if (added !== null && type === '') this.#template.learn(bytes, start, end, added);
  }

  /** Text of an event that needed no parsing. */
  #addRepeated(bytes: Buffer, start: number, length: number) {
    if (length === 0) return;
    this.facts.content = true;
    this.facts.contentBytes += length;
    this.facts.contentEvents += 1;
    this.facts.sample.addBytes(bytes, start, start + length);
  }

  bareError(bytes: Buffer, start: number, end: number): void {
    this.#errorEvent(bytes.toString('utf8', start, end));
  }

  /** `{"error":{"message"}}`, `{"message"}` or plain text. */
  #errorEvent(text: string) {
    const value = parseJson(text);
    if (!isObject(value)) setError(text.trim(), this.facts);
    else if (value['error'] !== undefined) noteError(value, this.facts);
    else noteError({ error: value }, this.facts);
  }
}

function isDone(bytes: Buffer, start: number, end: number): boolean {
  return bytes.toString('latin1', start, Math.min(end, start + 64)).trimEnd() === DONE;
}

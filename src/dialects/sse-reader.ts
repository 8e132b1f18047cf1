import { hasAt } from '../codec/same-bytes.js';
import { MAX_LINE, type SseHandler, SseSplitter } from '../codec/sse.js';
import { type AnswerFold, noteError, setError } from './answer-fold.js';
import { isObject, parseJson } from './json-value.js';
import { emptyFacts, type ResponseFacts, type ResponseReader, type Span } from './response-reader.js';
import { unwrapped } from './stream-fault.js';
import { TextTemplate } from './text-template.js';

const DONE = '[DONE]';
const FIELD = Buffer.from('data: ');
const LF = 0x0a;
const CR = 0x0d;

/** Reads an event stream of any dialect: splits, parses what its fold wants to see, tells errors and the end. */
export class SseReader implements ResponseReader, SseHandler {
  readonly facts: ResponseFacts = emptyFacts();
  readonly #fold: AnswerFold;
  readonly #splitter = new SseSplitter(this);
  readonly #template = new TextTemplate();
  /** The first events of a chunk that were passed over in a row. */
  readonly #passed: Span = { from: 0, to: 0 };
  #done = false;

  constructor(fold: AnswerFold) {
    this.#fold = fold;
  }

  push(chunk: Buffer): Readonly<Span> {
    this.#passed.from = 0;
    this.#passed.to = 0;
    this.#splitter.push(chunk);
    if (this.#splitter.skippedLines > 0) this.facts.skipped = true;
    return this.#passed;
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
    if (repeated >= 0 && this.#template.end === end) {
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

  /** Most events are like those before and in the usual framing: their lines need not be looked for. */
  passOver(chunk: Buffer, from: number): number {
    let at = from;
    while (hasAt(chunk, at, FIELD)) {
      const start = at + FIELD.length;
      const length = this.#template.match(chunk, start, Math.min(chunk.length, at + MAX_LINE));
      const next = length < 0 ? -1 : afterBlankLine(chunk, this.#template.end);
      if (next < 0) break;
      this.#addRepeated(chunk, start + this.#template.offset, length);
      at = next;
    }
    if (this.#passed.to === 0 && at > from) {
      this.#passed.from = from;
      this.#passed.to = at;
    }
    return at;
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

/** `at` is behind an event's last line: where the next event begins, or -1 when that is not certain. */
function afterBlankLine(chunk: Buffer, at: number): number {
  if (chunk[at] === LF) return chunk[at + 1] === LF ? at + 2 : -1;
  const isPair = chunk[at] === CR && chunk[at + 1] === LF && chunk[at + 2] === CR && chunk[at + 3] === LF;
  return isPair ? at + 4 : -1;
}

function isDone(bytes: Buffer, start: number, end: number): boolean {
  return bytes.toString('latin1', start, Math.min(end, start + 64)).trimEnd() === DONE;
}

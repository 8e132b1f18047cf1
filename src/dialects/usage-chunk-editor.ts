import type { Wire } from './endpoint.js';
import { isObject, objectIn, parseJson } from './json-value.js';
import { type ChunkEditor, NO_SPAN, type Span } from './response-reader.js';
import { UsageChunkProbe } from './usage-chunk-probe.js';

/** A usage chunk is a few hundred bytes; an event that is open for longer is not one. */
const MAX_OPEN = 64 * 1024;
const NO_BYTES = Buffer.alloc(0);
const UNCHANGED: readonly null[] = [null];

/**
 * Removes the usage event that only we asked for: `choices` empty and `usage` an object, in chat/completions and
 * completions. Every other wire's chunks are left as they are.
 */
export function createUsageChunkEditor(wire: Wire): ChunkEditor {
  return wire === 'openai-chat' || wire === 'openai-completions' ? new UsageChunkEditor() : new IdleEditor();
}

class IdleEditor implements ChunkEditor {
  readonly pending = 0;

  push(): readonly (Buffer | null)[] {
    return UNCHANGED;
  }

  release(): readonly (Buffer | null)[] {
    return [];
  }
}

/** A chunk without an answer; offsets count from the beginning of the stream. */
interface Waiting {
  bytes: Buffer;
  readonly start: number;
  readonly end: number;
  /** `bytes` is our copy, not the caller's memory. */
  owned: boolean;
}

interface Range {
  readonly start: number;
  readonly end: number;
}

class UsageChunkEditor implements ChunkEditor {
  readonly #probe = new UsageChunkProbe();
  #waiting: Waiting[] = [];
  /** The chunk that is being read, unless it waits. */
  #chunk: Buffer | null = null;
  #removed: Range[] = [];
  /** Bytes pushed so far. */
  #offset = 0;
  #eventStart = 0;
  /** The event that just ended with CR was removed, so an LF that comes first in the next chunk goes with it. */
  #lfOfRemoved = false;

  get pending(): number {
    return this.#waiting.length;
  }

  push(chunk: Buffer, last: boolean, text: Readonly<Span> = NO_SPAN): readonly (Buffer | null)[] {
    const base = this.#offset;
    this.#offset += chunk.length;
    this.#chunk = chunk;
    for (let at = 0; at < chunk.length; ) {
      if (at === text.from && at < text.to && this.#probe.between) {
        at = text.to;
        this.#probe.passOver();
        this.#eventStart = base + at;
        continue;
      }
      at = this.#probe.push(chunk, at);
      if (this.#probe.lineFeedOfLast) this.#takeLineFeed(base);
      if (this.#probe.state === 'ended') this.#endEvent(base + at);
    }
    if (this.#offset - this.#eventStart > MAX_OPEN) this.#probe.keep();
    if (last) this.#endEvent(this.#offset);
    const isPlain = this.#waiting.length === 0 && this.#removed.length === 0 && !this.#probe.open;
    if (isPlain) this.#chunk = null;
    else this.#wait();
    return isPlain ? UNCHANGED : this.#answers();
  }

  /** The chunk in hand joins those that wait; most never do. */
  #wait() {
    const bytes = this.#chunk;
    if (bytes !== null)
      this.#waiting.push({ bytes, start: this.#offset - bytes.length, end: this.#offset, owned: false });
    this.#chunk = null;
  }

  /** What is decided stays decided: a removed event is not brought back in halves. */
  release(): readonly (Buffer | null)[] {
    if (this.#probe.open) this.#probe.keep();
    return this.#answers();
  }

  /** The LF of a CRLF that was cut in two belongs to the event before. */
  #takeLineFeed(base: number) {
    if (this.#lfOfRemoved) this.#removed.push({ start: base, end: base + 1 });
    this.#lfOfRemoved = false;
    this.#eventStart = base + 1;
  }

  #endEvent(end: number) {
    const isCandidate = this.#probe.candidate;
    if (isCandidate) this.#wait();
    const remove = isCandidate && isUsageEvent(this.#bytes(this.#eventStart, end));
    if (remove) this.#removed.push({ start: this.#eventStart, end });
    this.#lfOfRemoved = remove;
    this.#eventStart = end;
    this.#probe.next();
  }

  #answers(): readonly (Buffer | null)[] {
    const decided = this.#decidedUpTo();
    const answers: (Buffer | null)[] = [];
    while (this.#waiting[0] !== undefined && this.#waiting[0].end <= decided) {
      const chunk = this.#waiting.shift() as Waiting;
      answers.push(without(chunk, this.#removed));
      this.#removed = this.#removed.filter((range) => range.end > chunk.end);
    }
    for (const chunk of this.#waiting) {
      if (chunk.owned) continue;
      chunk.bytes = Buffer.from(chunk.bytes);
      chunk.owned = true;
    }
    return answers;
  }

  /**
   * Offset up to which chunks may be answered. A removed event that reaches into a chunk which must wait makes the chunks
   * before it wait as well: if this process dies in between, the client must not get half an event.
   */
  #decidedUpTo(): number {
    if (!this.#probe.open) return this.#offset;
    let decided = this.#eventStart;
    for (const range of this.#removed.toReversed()) {
      const held = this.#waiting.find((chunk) => chunk.end > decided);
      if (held !== undefined && range.end > held.start && range.start < decided) decided = range.start;
    }
    return decided;
  }

  #bytes(start: number, end: number): Buffer {
    const parts = this.#waiting.map((chunk) =>
      chunk.bytes.subarray(Math.max(0, start - chunk.start), Math.max(0, end - chunk.start)),
    );
    const [first] = parts;
    return first !== undefined && parts.length === 1 ? first : Buffer.concat(parts);
  }
}

function without(chunk: Waiting, removed: readonly Range[]): Buffer | null {
  const parts: Buffer[] = [];
  let at = chunk.start;
  for (const range of removed) {
    if (range.start >= chunk.end || range.end <= chunk.start) continue;
    parts.push(chunk.bytes.subarray(at - chunk.start, Math.max(at, range.start) - chunk.start));
    at = Math.min(range.end, chunk.end);
  }
  if (at === chunk.start) return null;
  parts.push(chunk.bytes.subarray(at - chunk.start));
  return parts.every((part) => part.length === 0) ? NO_BYTES : Buffer.concat(parts);
}

const FIELD = 'data:';

function dataOf(event: string): string {
  const end = event.search(/[\r\n]/);
  // Nearly always one line, and the blank one.
  if (event.startsWith(FIELD) && !event.includes(FIELD, end)) return event.slice(FIELD.length, end);
  const lines = event.split(/\r\n|\r|\n/);
  const data = lines.filter((line) => line.startsWith(FIELD)).map((line) => line.slice(FIELD.length));
  return data.join('\n');
}

/** The last word, by a real parse: the probe has only seen that it looks like one. */
function isUsageEvent(bytes: Buffer): boolean {
  const value = parseJson(dataOf(bytes.toString('utf8')));
  if (!isObject(value) || objectIn(value, 'usage') === null) return false;
  const choices = value['choices'];
  const error = value['error'];
  return Array.isArray(choices) && choices.length === 0 && (error === undefined || error === null);
}

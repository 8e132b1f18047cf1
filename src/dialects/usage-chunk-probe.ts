import { lastingCopy } from '../codec/lasting-room.js';
import { hasAt } from '../codec/same-bytes.js';

const LF = 0x0a;
const CR = 0x0d;
const FIELD = 'data:';
const NOTHING = Buffer.alloc(0);
/** How often a stream may change the beginning of its events before that is given up. */
const PREFIXES = 8;

/** What the key at the top level of the event announces. */
type Member = 'choices' | 'usage' | 'other';

/**
 * Walks an event stream byte by byte, wherever it is cut, and tells as early as possible that an event is not the usage
 * chunk: text before `{`, a choice inside `choices`, `usage: null`. Until then its fate is open.
 */
export class UsageChunkProbe {
  /** `running` inside an event, `ended` right after its blank line (call `next()`). */
  state: 'running' | 'ended' = 'running';
  /** `choices` was empty and `usage` an object: probably the usage chunk. */
  get candidate(): boolean {
    return this.#verdict === 'open' && this.#emptyChoices && this.#usageObject;
  }
  /** The last `push` began with the LF of a CRLF whose CR had ended an event. */
  lineFeedOfLast = false;

  #verdict: 'open' | 'keep' = 'open';
  #started = false;
  #lineLength = 0;
  #inData = false;
  #afterCr = false;
  #eventEndedByCr = false;

  #depth = 0;
  #inString = false;
  #escaped = false;
  #expectKey = false;
  #key = '';
  #member: Member = 'other';
  /** The next byte that is not white space begins the member's value, or the inside of `choices`. */
  #await: 'nothing' | 'value' | 'choice' = 'nothing';
  #emptyChoices = false;
  #usageObject = false;

  /** Bytes of the last event up to its first choice: an event that begins the same way is kept without a closer look. */
  #prefix: Buffer = NOTHING;
  #prefixesToLearn = PREFIXES;
  /** Offset in this chunk where the event in hand began, -1 when in an earlier one. */
  #eventFrom = -1;
  #choiceSeen = false;

  /** Inside an event that may still turn out to be the usage chunk. */
  get open(): boolean {
    return this.#started && this.#verdict === 'open';
  }

  /** Nothing was read of the next event yet. */
  get between(): boolean {
    return !this.#started && this.state === 'running';
  }

  /** Whole events were not shown, because they stay for certain. */
  passOver(): void {
    this.#afterCr = false;
    this.#eventEndedByCr = false;
  }

  /** Decides the event in hand: it stays. */
  keep(): void {
    this.#verdict = 'keep';
  }

  next(): void {
    this.state = 'running';
    this.#verdict = 'open';
    this.#started = false;
    this.#lineLength = 0;
    this.#depth = 0;
    this.#inString = false;
    this.#escaped = false;
    this.#await = 'nothing';
    this.#emptyChoices = false;
    this.#usageObject = false;
  }

  /** Reads from `from` to the end of the event or of the chunk; returns where it stopped. */
  push(chunk: Buffer, from: number): number {
    this.lineFeedOfLast = false;
    this.#eventFrom = this.#started || (this.#afterCr && chunk[from] === LF) ? -1 : from;
    let at = this.#eventFrom < 0 ? from : this.#skipPrefix(chunk, from);
    for (; at < chunk.length; at += 1) {
      const byte = chunk[at] as number;
      if (byte === LF && this.#afterCr) {
        this.#afterCr = false;
        if (this.#eventEndedByCr) this.lineFeedOfLast = true;
        this.#eventEndedByCr = false;
        continue;
      }
      this.#afterCr = false;
      this.#eventEndedByCr = false;
      if (byte === LF || byte === CR) {
        if (this.#endLine(byte)) return this.#afterEvent(chunk, at);
      } else at = this.#inLine(chunk, at, byte);
    }
    return at;
  }

  #endLine(byte: number): boolean {
    this.#afterCr = byte === CR;
    const blank = this.#lineLength === 0;
    this.#lineLength = 0;
    this.#inData = false;
    return blank;
  }

  /** The LF of CRLF belongs to the event when it is there already. */
  #afterEvent(chunk: Buffer, at: number): number {
    this.state = 'ended';
    if (!this.#afterCr) return at + 1;
    if (chunk[at + 1] === LF) {
      this.#afterCr = false;
      return at + 2;
    }
    this.#eventEndedByCr = true;
    return at + 1;
  }

  /** Returns the offset of the last byte it has read. */
  #inLine(chunk: Buffer, at: number, byte: number): number {
    this.#started = true;
    if (this.#verdict === 'keep') {
      this.#lineLength = FIELD.length;
      return restOfLine(chunk, at);
    }
    if (this.#lineLength < FIELD.length) {
      const fits = byte === FIELD.charCodeAt(this.#lineLength) && (this.#lineLength === 0 || this.#inData);
      this.#inData = fits;
      this.#lineLength += 1;
    } else if (this.#inData) {
      this.#payload(byte);
      if (this.#choiceSeen) this.#learnPrefix(chunk, at + 1);
    }
    return at;
  }

  #skipPrefix(chunk: Buffer, from: number): number {
    if (this.#prefix.length === 0 || !hasAt(chunk, from, this.#prefix)) return from;
    this.#afterCr = false;
    this.#eventEndedByCr = false;
    this.#started = true;
    this.#lineLength = FIELD.length;
    this.keep();
    return from + this.#prefix.length;
  }

  #learnPrefix(chunk: Buffer, end: number) {
    this.#choiceSeen = false;
    if (this.#eventFrom < 0 || this.#prefixesToLearn === 0) return;
    this.#prefixesToLearn -= 1;
    this.#prefix = lastingCopy(chunk, this.#eventFrom, end);
  }

  #payload(byte: number) {
    if (this.#inString) return this.#stringByte(byte);
    if (byte === 0x20 || byte === 0x09) return;
    if (this.#await !== 'nothing' && !this.#firstOfValue(byte)) return;
    if (this.#depth === 0 && byte !== 0x7b) return this.keep();
    if (byte === 0x22) this.#openString();
    else if (byte === 0x7b || byte === 0x5b) {
      this.#depth += 1;
      this.#expectKey = this.#depth === 1;
    } else if (byte === 0x7d || byte === 0x5d) this.#depth -= 1;
    else if (byte === 0x2c && this.#depth === 1) this.#expectKey = true;
    else if (byte === 0x3a && this.#depth === 1) this.#await = this.#member === 'other' ? 'nothing' : 'value';
  }

  #openString() {
    this.#inString = true;
    this.#key = '';
  }

  #stringByte(byte: number) {
    if (this.#escaped) this.#escaped = false;
    else if (byte === 0x5c) this.#escaped = true;
    else if (byte === 0x22) {
      this.#inString = false;
      if (!this.#expectKey || this.#depth !== 1) return;
      this.#expectKey = false;
      this.#member = this.#key === 'choices' || this.#key === 'usage' ? this.#key : 'other';
    } else if (this.#expectKey && this.#key.length < 8) this.#key += String.fromCharCode(byte);
  }

  /** Looks at the byte that begins a value. False when the event is decided. */
  #firstOfValue(byte: number): boolean {
    const inside = this.#await === 'choice';
    this.#await = 'nothing';
    if (inside) this.#emptyChoices = byte === 0x5d;
    else if (this.#member === 'usage') this.#usageObject = byte === 0x7b;
    else if (byte === 0x5b) this.#await = 'choice';
    const fits = inside ? this.#emptyChoices : this.#member === 'usage' ? this.#usageObject : byte === 0x5b;
    this.#choiceSeen = inside && !fits;
    if (!fits) this.keep();
    return fits;
  }
}

/** Offset of the last byte before the line's end, or of the chunk's last byte. */
function restOfLine(chunk: Buffer, from: number): number {
  let at = from;
  while (at + 1 < chunk.length && chunk[at + 1] !== LF && chunk[at + 1] !== CR) at += 1;
  return at;
}

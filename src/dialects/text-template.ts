import { lastingLatin1 } from '../codec/lasting-room.js';
import { hasAt } from '../codec/same-bytes.js';

/** After so many misses in a row the stream's events do not repeat (random padding), and comparing is given up. */
const PATIENCE = 8;
const NOTHING = Buffer.alloc(0);
/** OpenAI's `obfuscation` and Mistral's `p`, at the end of an event. */
const PADDING = /^(.*,"(?:obfuscation|p)":")[^"\\]*"\}$/;
const PADDING_END = Buffer.from('"}');

/**
 * Most events of a stream differ only in a few letters of text. Once one of them was parsed and did nothing but add text, an
 * event with the same bytes before and after means the same: only the length of its text is new. That is about four times
 * cheaper than parsing it.
 */
export class TextTemplate {
  #before: Buffer = NOTHING;
  #after: Buffer = NOTHING;
  /** The event ends with random padding, which may differ as well. */
  #padded = false;
  #misses = 0;
  #end = 0;

  /** Where the text of an event that matches begins, from the event's start. */
  get offset(): number {
    return this.#before.length;
  }

  /** Where the event that matched last ends. */
  get end(): number {
    return this.#end;
  }

  /**
   * Bytes of text in the event that begins at `start`, or -1 when it must be parsed.
   * @param limit it may end before; `end` tells where
   */
  match(bytes: Buffer, start: number, limit: number): number {
    const textStart = start + this.#before.length;
    if (this.#before.length === 0 || textStart >= limit) return -1;
    if (!hasAt(bytes, start, this.#before)) return -1;
    const textEnd = plainEnd(bytes, textStart, limit);
    if (!hasAt(bytes, textEnd, this.#after)) return -1;
    let end = textEnd + this.#after.length;
    if (this.#padded) {
      end = plainEnd(bytes, end, limit) + PADDING_END.length;
      if (!hasAt(bytes, end - PADDING_END.length, PADDING_END)) return -1;
    }
    if (end > limit) return -1;
    this.#end = end;
    this.#misses = 0;
    return textEnd - textStart;
  }

  /** The event at [start, end) was parsed and only added `text`. */
  learn(bytes: Buffer, start: number, end: number, text: string): void {
    // The first event names the role and has no text: no other one is like it.
    if (text === '') return;
    // Escaped text tells nothing about whether events repeat.
    if (this.#misses === PATIENCE || JSON.stringify(text).length !== text.length + 2) return;
    this.#misses += 1;
    if (this.#misses === PATIENCE) this.#before = NOTHING;
    else this.#cut(bytes.toString('latin1', start, end), Buffer.from(`:"${text}"`).toString('latin1'));
  }

  #cut(event: string, literal: string) {
    const at = event.indexOf(literal);
    // Only if the text stands there once and unescaped is it certain which value it is.
    if (at < 0 || event.indexOf(literal, at + 1) >= 0) return;
    this.#before = lastingLatin1(event.slice(0, at + 2));
    const rest = event.slice(at + literal.length - 1);
    const padding = PADDING.exec(rest);
    this.#padded = padding !== null;
    this.#after = endOf(padding?.[1] ?? rest);
  }
}

/** Ends of events, unlike their beginnings, are the same in all streams of a model. */
let lastEnd: { readonly text: string; readonly bytes: Buffer } = { text: '', bytes: NOTHING };

function endOf(text: string): Buffer {
  if (text !== lastEnd.text) lastEnd = { text, bytes: lastingLatin1(text) };
  return lastEnd.bytes;
}

/** Marks the bytes that end plain text: a quote or a backslash makes it another event, control characters are not JSON. */
const ENDS_TEXT = new Uint8Array(256).fill(1, 0, 0x20).fill(1, 0x22, 0x23).fill(1, 0x5c, 0x5d);

function plainEnd(bytes: Buffer, from: number, end: number): number {
  let at = from;
  while (at < end && ENDS_TEXT[bytes[at] as number] === 0) at += 1;
  return at;
}

import { lastingRoom } from '../codec/lasting-room.js';

/** Enough for some 4,000 tokens: most answers are kept whole, and of a longer one the rest is much the same. */
const KEPT = 16 * 1024;
/** Many streams are open that have said a few words. */
const FIRST = 128;
/** Below this a loop is faster than a call. */
const SHORT = 24;

/** The beginning of what a model wrote, so that its tokens can be counted if the stream is cut. Never in logs or records. */
export class ContentSample {
  #kept: Buffer | null = null;
  /** A text that came first stays as it is until another one follows: most answers are one text, and seldom asked for it. */
  #first = '';
  #length = 0;

  /** @param bytes of the text in UTF-8 */
  addText(text: string, bytes: number): void {
    if (this.#length >= KEPT) return;
    if (this.#length === 0) {
      this.#first = text;
      this.#length = Math.min(bytes, KEPT);
    } else this.addBytes(Buffer.from(text), 0, bytes);
  }

  /** Plain text at [start, end) of `from`. */
  addBytes(from: Buffer, start: number, end: number): void {
    const length = Math.min(end - start, KEPT - this.#length);
    if (length <= 0) return;
    if (this.#first !== '') this.#copyFirst();
    const kept = this.#roomFor(length);
    if (length < SHORT) for (let at = 0; at < length; at += 1) kept[this.#length + at] = from[start + at] as number;
    else from.copy(kept, this.#length, start, start + length);
    this.#length += length;
  }

  /** Bytes that are kept. */
  get length(): number {
    return this.#length;
  }

  /** The first bytes of what is kept; the last character may be damaged where they end. */
  text(bytes = this.#length): string {
    if (this.#first !== '') this.#copyFirst();
    return this.#kept?.toString('utf8', 0, Math.min(bytes, this.#length)) ?? '';
  }

  #copyFirst(): void {
    const bytes = Buffer.from(this.#first);
    this.#first = '';
    const length = this.#length;
    this.#length = 0;
    this.addBytes(bytes, 0, length);
  }

  #roomFor(length: number): Buffer {
    const needed = this.#length + length;
    if (this.#kept !== null && needed <= this.#kept.length) return this.#kept;
    const size =
      this.#kept === null ? Math.max(FIRST, needed) : Math.min(KEPT, Math.max(needed, this.#kept.length * 4));
    const larger = lastingRoom(size);
    this.#kept?.copy(larger, 0, 0, this.#length);
    this.#kept = larger;
    return larger;
  }
}

import { lastingRoom } from '../codec/lasting-room.js';

/** Enough for some 4,000 tokens: most answers are kept whole, and of a longer one the rest is much the same. */
const KEPT = 16 * 1024;
/** Many streams are open that have said a few words. */
const FIRST = 128;
const LARGEST = 2048;
/** Below this a loop is faster than a call. */
const SHORT = 24;
const NOTHING = Buffer.alloc(0);

/** The beginning of what a model wrote, so that its tokens can be counted if the stream is cut. Never in logs or records. */
export class ContentSample {
  /** All that are full. */
  #full: Buffer[] | null = null;
  /** The piece that is being filled. */
  #piece: Buffer = NOTHING;
  #filled = 0;
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
    const stop = Math.min(end, start + KEPT - this.#length);
    if (start >= stop) return;
    if (this.#first !== '') this.#copyFirst();
    this.#length += stop - start;
    for (let at = start; at < stop; ) {
      if (this.#filled === this.#piece.length) this.#nextPiece(stop - at);
      const length = Math.min(stop - at, this.#piece.length - this.#filled);
      this.#put(from, at, length);
      at += length;
    }
  }

  /** Bytes that are kept. */
  get length(): number {
    return this.#length;
  }

  /** The first bytes of what is kept; the last character may be damaged where they end. */
  text(bytes = this.#length): string {
    if (this.#first !== '') this.#copyFirst();
    const most = Math.min(bytes, this.#length);
    const beginning = this.#full?.[0] ?? this.#piece;
    if (this.#full === null || most <= beginning.length) return beginning.toString('utf8', 0, most);
    return Buffer.concat([...this.#full, this.#piece], most).toString();
  }

  #put(from: Buffer, start: number, length: number): void {
    const piece = this.#piece;
    const filled = this.#filled;
    if (length < SHORT) for (let at = 0; at < length; at += 1) piece[filled + at] = from[start + at] as number;
    else from.copy(piece, filled, start, start + length);
    this.#filled = filled + length;
  }

  #copyFirst(): void {
    const bytes = Buffer.from(this.#first);
    this.#first = '';
    this.#length = 0;
    this.addBytes(bytes, 0, bytes.length);
  }

  /** Each four times as large as the one before: nothing is copied twice. */
  #nextPiece(wanted: number): void {
    const last = this.#piece.length;
    if (last > 0) {
      if (this.#full === null) this.#full = [this.#piece];
      else this.#full.push(this.#piece);
    }
    this.#piece = lastingRoom(Math.min(LARGEST, Math.max(last === 0 ? FIRST : last * 4, wanted)));
    this.#filled = 0;
  }
}

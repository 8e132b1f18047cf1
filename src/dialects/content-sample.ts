import { Gatherer } from '../codec/gatherer.js';

/** Enough for some 4,000 tokens: most answers are kept whole, and of a longer one the rest is much the same. */
const KEPT = 16 * 1024;

/** The beginning of what a model wrote, so that its tokens can be counted if the stream is cut. Never in logs or records. */
export class ContentSample {
  readonly #kept = new Gatherer();

  addText(text: string): void {
    if (this.#kept.length >= KEPT) return;
    const bytes = Buffer.from(text);
    this.addBytes(bytes, 0, bytes.length);
  }

  /** Plain text at [start, end) of `from`. */
  addBytes(from: Buffer, start: number, end: number): void {
    const room = KEPT - this.#kept.length;
    if (room > 0) this.#kept.add(from, start, Math.min(end, start + room));
  }

  /** Bytes that are kept. */
  get length(): number {
    return this.#kept.length;
  }

  /** What is kept; the last character may be damaged where the room ended. */
  text(): string {
    return this.#kept.bytes.toString('utf8', 0, this.#kept.length);
  }
}

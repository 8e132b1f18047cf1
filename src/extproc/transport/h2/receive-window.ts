/**
 * Bytes that the peer may send. They are given back in large steps, because every update costs both sides a frame.
 * Source: RFC 9113, section 6.9.
 */
export class ReceiveWindow {
  readonly #step: number;
  #left: number;
  #used = 0;

  /** @param size bytes that the peer may send before it hears of us again */
  constructor(size: number) {
    this.#left = size;
    this.#step = size >>> 1;
  }

  /** False: the peer sent more than it may. */
  take(bytes: number): boolean {
    this.#left -= bytes;
    return this.#left >= 0;
  }

  /** @param bytes were taken before and need no memory any more */
  release(bytes: number): void {
    this.#used += bytes;
  }

  /** The bytes to give back now; 0 = not yet. */
  giveBack(): number {
    const used = this.#used;
    if (used < this.#step) return 0;
    this.#used = 0;
    this.#left += used;
    return used;
  }
}

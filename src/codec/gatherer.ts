import { lastingRoom } from './lasting-room.js';

const NO_BYTES = Buffer.alloc(0);

/** A buffer that grows by doubling, so that a line in a thousand pieces is copied about twice. */
export class Gatherer {
  bytes: Buffer = NO_BYTES;
  length = 0;

  /** Copies bytes [start, end) of `from`. */
  add(from: Buffer, start: number, end: number): void {
    const needed = this.length + end - start;
    if (needed > this.bytes.length) {
      const size = Math.max(512, needed, this.bytes.length * 2);
      const larger = lastingRoom(size);
      this.bytes.copy(larger, 0, 0, this.length);
      this.bytes = larger;
    }
    from.copy(this.bytes, this.length, start, end);
    this.length = needed;
  }

  clear(): void {
    this.length = 0;
    // One long line must not keep its memory for the rest of the stream.
    if (this.bytes.length > 64 * 1024) this.bytes = NO_BYTES;
  }
}

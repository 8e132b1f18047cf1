/** Lines that the disk refused, oldest first, bounded by bytes. */
export class Backlog {
  readonly #limit: number;
  #lines: Buffer[] = [];
  #bytes = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get entries(): number {
    return this.#lines.length;
  }

  /** False when it is full: the line is not kept. */
  push(line: Buffer): boolean {
    if (this.#bytes + line.length > this.#limit) return false;
    this.#lines.push(line);
    this.#bytes += line.length;
    return true;
  }

  /** The oldest lines, up to `most` bytes but at least one. They stay until `drop`. */
  peek(most: number): Buffer {
    let end = 0;
    let bytes = 0;
    for (const line of this.#lines) {
      if (end > 0 && bytes + line.length > most) break;
      bytes += line.length;
      end += 1;
    }
    return Buffer.concat(this.#lines.slice(0, end), bytes);
  }

  /** Forgets the oldest `bytes`, which must end with a whole line. Returns the number of lines. */
  drop(bytes: number): number {
    let count = 0;
    let left = bytes;
    for (let line = this.#lines[count]; line && line.length <= left; line = this.#lines[count]) {
      left -= line.length;
      count += 1;
    }
    this.#lines = this.#lines.slice(count);
    this.#bytes -= bytes - left;
    return count;
  }
}

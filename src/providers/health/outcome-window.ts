/** The last outcomes with their times, in a ring: adding is O(1), counting O(size). */
export class OutcomeWindow {
  readonly #times: Float64Array;
  readonly #failed: Uint8Array;
  #next = 0;
  #newest = Number.NEGATIVE_INFINITY;

  constructor(size: number) {
    this.#times = new Float64Array(size).fill(Number.NEGATIVE_INFINITY);
    this.#failed = new Uint8Array(size);
  }

  /** When the last outcome came; -Infinity without any. */
  get newest(): number {
    return this.#newest;
  }

  add(failed: boolean, now: number): void {
    this.#times[this.#next] = now;
    this.#failed[this.#next] = failed ? 1 : 0;
    this.#next = (this.#next + 1) % this.#times.length;
    this.#newest = now;
  }

  /** Those younger than `maxAge` milliseconds. */
  count(now: number, maxAge: number): { readonly all: number; readonly failed: number } {
    let all = 0;
    let failed = 0;
    for (let index = 0; index < this.#times.length; index += 1) {
      if (now - (this.#times[index] ?? Number.NEGATIVE_INFINITY) >= maxAge) continue;
      all += 1;
      failed += this.#failed[index] ?? 0;
    }
    return { all, failed };
  }

  /** Failed ÷ all, 0 to 1; null without outcomes in that time. */
  errorRate(now: number, maxAge: number): number | null {
    const { all, failed } = this.count(now, maxAge);
    return all === 0 ? null : failed / all;
  }
}

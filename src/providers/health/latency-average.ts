/** Weight of a new sample. */
const SAMPLE_WEIGHT = 0.3;
const FAILURE_WEIGHT = 0.2;
/** A target that only fails looks four times as slow. */
const FAILURE_PENALTY = 3;
/** Older averages are forgotten, so that a target that was slow once is looked at again. */
const LONGEST_SILENCE_MS = 60_000;

/** Exponentially weighted time to the first token, with the share of failures as a penalty. */
export class LatencyAverage {
  #firstTokenMs: number | null = null;
  #failures = 0;
  #measuredAt = 0;

  /** Moving average in milliseconds, without the penalty. */
  get firstTokenMs(): number | null {
    return this.#firstTokenMs;
  }

  succeeded(firstTokenMs: number | null, now: number): void {
    this.#failures *= 1 - FAILURE_WEIGHT;
    if (firstTokenMs === null) return;
    const before = this.#isOld(now) ? null : this.#firstTokenMs;
    this.#firstTokenMs = before === null ? firstTokenMs : before + SAMPLE_WEIGHT * (firstTokenMs - before);
    this.#measuredAt = now;
  }

  failed(): void {
    this.#failures += FAILURE_WEIGHT * (1 - this.#failures);
  }

  /** Milliseconds to compare targets by; null = unknown or too old at `now`. */
  score(now: number): number | null {
    if (this.#firstTokenMs === null || this.#isOld(now)) return null;
    return this.#firstTokenMs * (1 + FAILURE_PENALTY * this.#failures);
  }

  #isOld(now: number): boolean {
    return now - this.#measuredAt > LONGEST_SILENCE_MS;
  }
}

/** A stream whose silence is bounded. */
export interface Watched {
  /** Monotonic milliseconds of its last byte. */
  readonly lastByteAt: number;
  /** Milliseconds of silence that end it. */
  readonly stallMs: number;
}

const SWEEP_MS = 250;

/** Ends streams that fall silent: one timer for all, running only while somebody streams. */
export class Stalls {
  readonly #cuts = new Map<Watched, () => void>();
  readonly #monotonic: () => number;
  #timer: NodeJS.Timeout | null = null;

  constructor(monotonic: () => number) {
    this.#monotonic = monotonic;
  }

  /** `cut` is called once, when the stream has been silent for too long. */
  add(stream: Watched, cut: () => void): void {
    this.#cuts.set(stream, cut);
    this.#timer ??= setInterval(() => this.#sweep(), SWEEP_MS).unref();
  }

  remove(stream: Watched): void {
    if (this.#cuts.delete(stream) && this.#cuts.size === 0) this.#rest();
  }

  #sweep(): void {
    const now = this.#monotonic();
    for (const [stream, cut] of this.#cuts) {
      if (now - stream.lastByteAt < stream.stallMs) continue;
      this.#cuts.delete(stream);
      cut();
    }
    if (this.#cuts.size === 0) this.#rest();
  }

  #rest(): void {
    if (this.#timer) clearInterval(this.#timer);
    this.#timer = null;
  }
}

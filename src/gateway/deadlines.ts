interface Waiting {
  readonly pendingChunks: number;
}

interface Deadline {
  readonly at: number;
  readonly release: () => void;
}

/**
 * Releases response chunks that stayed undecided: one timer for all requests, running only while somebody waits.
 * An answer must leave well before Envoy's message timeout, or Envoy goes on without us.
 */
export class Deadlines {
  readonly #waiting = new Map<Waiting, Deadline>();
  readonly #waitMs: number;
  readonly #monotonic: () => number;
  #timer: NodeJS.Timeout | null = null;

  constructor(waitMs: number, monotonic: () => number) {
    this.#waitMs = waitMs;
    this.#monotonic = monotonic;
  }

  /** The first call for a request starts its deadline; later ones keep it while chunks are pending. */
  add(request: Waiting, release: () => void): void {
    if (this.#waiting.has(request)) return;
    this.#waiting.set(request, { at: this.#monotonic() + this.#waitMs, release });
    this.#timer ??= setInterval(() => this.#sweep(), this.#waitMs / 2).unref();
  }

  remove(request: Waiting): void {
    this.#waiting.delete(request);
    if (this.#waiting.size === 0) this.close();
  }

  close(): void {
    if (this.#timer) clearInterval(this.#timer);
    this.#timer = null;
  }

  #sweep(): void {
    const now = this.#monotonic();
    for (const [request, deadline] of this.#waiting) {
      if (request.pendingChunks === 0) this.#waiting.delete(request);
      else if (deadline.at <= now) {
        this.#waiting.delete(request);
        deadline.release();
      }
    }
    if (this.#waiting.size === 0) this.close();
  }
}

/** A stream whose silence is bounded. */
export interface Watched {
  /** Monotonic milliseconds of its last byte. */
  readonly lastByteAt: number;
  /** Milliseconds of silence that end it. */
  readonly stallMs: number;
  /** Where it stands among those that are watched, -1 = nowhere: for `Stalls` alone. */
  stallPlace: number;
  /** It was silent for too long. Called once. */
  cutOff(): void;
}

const SWEEP_MS = 250;

/**
 * Ends streams that fall silent: one timer for all, running only while somebody streams. A list in no order in which everyone
 * knows its place: nothing is made for a stream that comes and goes.
 */
export class Stalls {
  readonly #streams: Watched[] = [];
  readonly #monotonic: () => number;
  #timer: NodeJS.Timeout | null = null;

  constructor(monotonic: () => number) {
    this.#monotonic = monotonic;
  }

  add(stream: Watched): void {
    if (stream.stallPlace >= 0) return;
    stream.stallPlace = this.#streams.length;
    this.#streams.push(stream);
    this.#timer ??= setInterval(() => this.#sweep(), SWEEP_MS).unref();
  }

  remove(stream: Watched): void {
    const place = stream.stallPlace;
    if (place < 0) return;
    stream.stallPlace = -1;
    const last = this.#streams.pop();
    if (last !== undefined && last !== stream) {
      this.#streams[place] = last;
      last.stallPlace = place;
    }
    if (this.#streams.length === 0) this.#rest();
  }

  #sweep(): void {
    const now = this.#monotonic();
    for (const stream of this.#streams.filter(({ lastByteAt, stallMs }) => now - lastByteAt >= stallMs)) {
      // Another one's end may have been its own.
      if (stream.stallPlace < 0) continue;
      this.remove(stream);
      stream.cutOff();
    }
  }

  #rest(): void {
    if (this.#timer) clearInterval(this.#timer);
    this.#timer = null;
  }
}
